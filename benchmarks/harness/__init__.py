"""What the benchmark scripts share: peers' environments, contests between workers, fresh processes, results."""
