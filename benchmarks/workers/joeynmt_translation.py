"""JoeyNMT as a worker: a bidirectional LSTM, Luong's attention and an LSTM decoder, of the size of nlpseq's.

The settings are those that are fast: no input feeding, tied embeddings, batches by tokens. JoeyNMT does not bucket by
length; it is given what it is to translate sorted by length.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # its own checkpoints, which torch 2.6 and later would refuse

import sentencepiece
import torch
from joeynmt.config import BaseConfig, parse_global_args, set_validation_args
from joeynmt.datasets import build_dataset
from joeynmt.prediction import predict, prepare
from joeynmt.training import TrainManager
from serving import lines_of, serve
from timing import speeds

WIDTH = 256


def settings(
    folder: Path, data: Path, pieces: int, batch_tokens: int = 1500, beam: int = 1, batch: int = 64
) -> dict[str, Any]:
    """A configuration as JoeyNMT reads it; the subword model and vocabulary in `folder` are made if need be."""
    model, words = _pieces(folder, data, pieces)
    side = {
        "level": "bpe", "tokenizer_type": "sentencepiece", "tokenizer_cfg": {"model_file": str(model)},
        "voc_file": str(words), "max_length": 100,
    }  # fmt: skip
    embeddings = {"embedding_dim": WIDTH, "scale": False, "dropout": 0.2}
    recurrent = {"type": "recurrent", "rnn_type": "lstm", "hidden_size": WIDTH, "num_layers": 1, "dropout": 0.3}
    return {
        "name": "benchmark", "model_dir": str(folder), "use_cuda": False, "random_seed": 1,
        "data": {
            "train": str(data / "train"), "dev": str(data / "dev"), "dataset_type": "plain",
            "src": {"lang": "source", **side}, "trg": {"lang": "target", **side},
        },
        "training": {
            "optimizer": "adamw", "learning_rate": 2e-3, "clip_grad_norm": 1.0, "label_smoothing": 0.1,
            "loss": "crossentropy", "normalization": "tokens", "batch_type": "token", "batch_size": batch_tokens,
            "epochs": 1000, "keep_best_ckpts": 1,
            "scheduling": "exponential", "decrease_factor": 1.0,  # constant: it refuses to be without a schedule
        },
        "testing": {
            "beam_size": beam, "beam_alpha": 1.0, "batch_size": batch, "batch_type": "sentence",
            "max_output_length": 80,
        },
        "model": {
            "tied_embeddings": True, "tied_softmax": True, "init_rnn_orthogonal": True, "lstm_forget_gate": 1.0,
            "encoder": {**recurrent, "bidirectional": True, "embeddings": embeddings},
            "decoder": {
                **recurrent, "hidden_dropout": 0.3, "init_hidden": "bridge", "input_feeding": False,
                "attention": "luong", "embeddings": embeddings,
            },
        },
    }  # fmt: skip


def _pieces(folder: Path, data: Path, size: int) -> tuple[Path, Path]:
    """A joint unigram model of the training text, and its pieces as JoeyNMT's vocabulary.

    They lie a folder deeper than the model, since JoeyNMT copies them beside it.
    """
    inside = folder / "pieces"
    model, words = inside / "joint.model", inside / "joint.txt"
    inside.mkdir(parents=True, exist_ok=True)
    if not words.exists():
        files = [str(data / "train.source"), str(data / "train.target")]
        sentencepiece.SentencePieceTrainer.train(
            input=",".join(files), model_prefix=str(inside / "joint"), vocab_size=size, model_type="unigram",
            hard_vocab_limit=False, num_threads=1, minloglevel=2,
        )  # fmt: skip
        loaded = sentencepiece.SentencePieceProcessor(model_file=str(model))
        names = (loaded.id_to_piece(i) for i in range(len(loaded)) if not loaded.is_control(i))
        words.write_text("\n".join(name for name in names if name != "<unk>") + "\n", encoding="utf-8")
    return model, words


class Training:
    """The steps of JoeyNMT's own loop, without validation."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.args: BaseConfig = parse_global_args(config, mode="train")
        model, self.data, self.dev, _ = prepare(self.args, rank=0, mode="train")
        test = set_validation_args(self.args.test)
        args = self.args
        self.manager = TrainManager(
            rank=0, model=model, model_dir=args.model_dir, device=args.device, autocast=args.autocast, seed=args.seed,
            train_args=args.train, dev_args=test,
        )  # fmt: skip
        self.steps = self._steps()

    def _steps(self) -> Iterator[int]:
        """Takes a step after the other, as `TrainManager.train_and_validate` does; yields the target tokens of each."""
        manager, args = self.manager, self.args.train
        model = manager.model
        manager.train_iter = self.data.make_iter(
            batch_size=args.batch_size, batch_type=args.batch_type, seed=self.args.seed, shuffle=args.shuffle,
            num_workers=0, device=manager.device, eos_index=model.eos_index, pad_index=model.pad_index,
        )  # fmt: skip
        model.zero_grad()
        for epoch in range(args.epochs):
            self.data.seed = self.args.seed + epoch
            manager.train_iter.batch_sampler.set_seed(self.args.seed + epoch)
            for batch in manager.train_iter:
                manager._train_step(batch)
                manager.clip_grad_fun(parameters=model.parameters())
                manager.optimizer.step()
                model.zero_grad()
                manager.stats.steps += 1
                yield int(batch.ntokens)

    def save(self) -> None:
        self.manager._save_checkpoint(False, float("nan"))


class JoeyNMT:
    """A trained model, or one that is being trained."""

    def load(self, folder: str, data: str, pieces: int, threads: int, training: bool = False, **options: int) -> None:
        """Sets up a fresh model for `training` (`batch_tokens`), or loads that of `folder` (`beam`, `batch`)."""
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        config = settings(Path(folder), Path(data), pieces, **options)
        if training:
            self.training = Training(config)
            return
        config["data"] |= {"train": None, "dev": str(Path(data) / "dev")}
        self.args = parse_global_args(config, mode="test")
        self.model, _, self.dev, _ = prepare(self.args, rank=0, mode="test")

    def train(self, seconds: float, **settings: Any) -> dict[str, float]:
        """Trains for so many seconds with what `load` takes, and leaves latest.ckpt."""
        started = time.perf_counter()
        self.load(**settings, training=True)
        for _ in speeds(self.training.steps, seconds):
            pass
        self.training.save()
        return {"seconds": time.perf_counter() - started, "steps": self.training.manager.stats.steps}

    def work(self, texts: str | None = None, seconds: float | None = None) -> Any:
        """Of a model in training, target tokens a second of each second; else the number of sentences translated."""
        if seconds is not None:
            return list(speeds(self.training.steps, seconds))
        assert texts is not None
        return len(self.translate(texts))

    def translate(self, texts: str) -> list[str]:
        """The translations of a file of sentences."""
        tokenizer, encoder = self.dev.tokenizer, self.dev.sequence_encoder
        prefix = texts.removesuffix(".source")
        data = build_dataset("plain", prefix, "source", "target", "test", tokenizer, encoder, self.dev.has_prompt)
        args = self.args
        how = {"device": args.device, "n_gpu": 0, "args": args.test, "autocast": args.autocast}
        translations = predict(model=self.model, data=data, **how)[2]
        assert len(translations) == len(lines_of(texts))
        return list(translations)

    def size(self) -> int:
        return sum(weight.numel() for weight in self.model.parameters())


if __name__ == "__main__":
    serve(JoeyNMT())
