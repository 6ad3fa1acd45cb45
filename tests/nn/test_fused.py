from __future__ import annotations

import runpy
import warnings

from nlpseq.nn import fused


def test_importing_it_silences_nothing() -> None:
    before = list(warnings.filters)
    runpy.run_path(fused.__file__)
    assert warnings.filters == before


def test_on_a_gpu_one_warning_is_silenced_behind_the_filters_of_a_user() -> None:
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("error", DeprecationWarning)
        fused._silence_copies.__wrapped__()
        first, last = warnings.filters
        assert (first[0], last[0]) == ("error", "ignore")
        warnings.warn("RNN module weights are not part of single contiguous chunk of memory.", stacklevel=1)
