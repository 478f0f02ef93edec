"""Settings of the fine-tuning; the defaults are the demo's, the paper's stand beside them (section 3.1)."""

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from core.settings import Execution, Settings


class TrainConfig(Settings):
    """Instruction data and a base model → WaveCoder."""

    model: str
    """Base model: Hugging Face id, folder, or packaged model."""

    prompt: str = "paper"
    """Chat template to train, serve and evaluate with: the paper's Alpaca prompt, `model` for the tokenizer's own, or
    the file of a Jinja chat template."""

    objective: Literal["sft", "dpo", "kto"] = "sft"
    """What is learnt: the answers (`sft`), or to prefer accepted over rejected ones, by trl's DPO or KTO, from the
    pairs that `codeocean.formats: [preference]` writes."""

    preference_beta: PositiveFloat = 0.1
    """With `dpo` and `kto`: how strongly the model is held to what it was before."""

    loss_on: Literal["all", "last"] = "all"
    """Answers of a conversation that are learnt from."""

    epochs: PositiveInt = 1
    """Passes over the data; the paper's is 3."""

    max_length: PositiveInt = 2048
    """Tokens of a row; a longer response is cut, and counted."""

    packing: bool = True
    """Put several rows behind each other instead of padding each to the longest. The result does not depend on it."""

    attention: Annotated[Literal["auto", "documents", "sdpa", "flex", "flash"], Execution()] = "auto"
    """Kernel that confines attention to each packed row; "auto": flash on CUDA in bfloat16, else documents."""

    global_batch: PositiveInt = 16
    """Rows of one optimizer step, over all workers; the paper's: 256 (StarCoder, CodeLLaMa) or 512 (DeepseekCoder)."""

    micro_batch: Annotated[PositiveInt, Execution()] = 1
    """A forward pass of one worker takes so many rows, or with packing so many times `max_length` tokens. The result
    does not depend on it."""

    optimizer: Literal["adamw", "adamw_8bit", "adafactor", "muon"] = "adamw"
    """The paper's is AdamW, whose state is twice the weights' size; with 8 bits a moment, half their size. Adafactor's
    is a hundredth of the weights, Muon's about their size. Muon takes the decoder's matrices and leaves the rest to
    AdamW, at AdamW's learning rates."""

    learning_rate: PositiveFloat = 2e-5
    """Peak rate; the paper's is 2e-5 (StarCoder, CodeLLaMa) or 5e-5 (DeepseekCoder)."""

    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Course of the learning rate behind the warm-up."""

    warmup_ratio: float = Field(default=0.03, ge=0.0, le=1.0)
    """Share of the steps over which the rate rises."""

    weight_decay: NonNegativeFloat = 0.0
    """The optimizer's."""

    max_grad_norm: PositiveFloat = 1.0
    """Gradients are clipped to this norm."""

    lora_rank: NonNegativeInt = 0
    """Train low-rank adapters of this rank instead of all weights; merged at export. 0: all weights. The paper takes 8
    for data of fewer than 5,000 rows."""

    lora_alpha: PositiveInt = 16
    """The adapters' product is scaled by this over the rank."""

    lora_rank_stabilized: bool = False
    """Scale by `lora_alpha` over the root of the rank instead, for high ranks (rsLoRA)."""

    lora_dora: bool = False
    """Learn the size of each output's weights apart from their direction (DoRA): slower, nearer to all weights."""

    lora_base: Literal["float32", "nf4"] = "float32"
    """How the frozen linear layers are kept beside adapters: `nf4` takes 4.5 bits a weight (QLoRA). It changes what is
    learnt; the export is the 4-bit model with its adapters merged, in the base's own type."""

    lora_from: str | None = None
    """Go on from this adapter instead of a new one: a folder in peft's form that every worker sees, such as
    `<run>/train/model/adapter`. Its rank and scale must be the recipe's."""

    seed: NonNegativeInt = 0
    """Random seed of the order of the rows, of the held-out rows and of the adapters."""

    holdout: float = Field(default=0.0, ge=0.0, le=0.5)
    """Share of the rows that is held out of training and measures it; the paper holds out none."""

    validate_every: PositiveInt = 50
    """Steps between measurements on the held-out rows; the last step is always followed by one."""

    evaluate_every: Annotated[PositiveInt | None, Execution()] = None
    """Steps between scores of the model as it stands on the configured benchmark, made beside the training by an engine
    of their own, which needs room in the cluster; None makes none."""

    workers: Annotated[PositiveInt, Execution()] = 2
    """Training processes; the model's state is sharded over them (FSDP2), and one alone in float32 has it whole."""

    min_workers: Annotated[PositiveInt | None, Execution()] = None
    """Train with so few while the cluster has no room for `workers`, and with more as it grows; None waits for all."""

    resize_every_s: Annotated[PositiveFloat, Execution()] = 60.0
    """With `min_workers`: seconds between looks for more room. Each change of size goes on from the last checkpoint."""

    cpus_per_worker: Annotated[PositiveInt, Execution()] = 1
    """Logical CPUs, and threads, of one worker."""

    use_gpu: Annotated[bool, Execution()] = False
    """One GPU for each worker."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the computation; weights and the reduction of gradients stay float32."""

    offload: Annotated[bool, Execution()] = False
    """Keep weights, gradients and optimizer state in main memory, and take the optimizer's step there; the card holds
    one layer's weights at a time. Slower: each micro-batch copies all weights."""

    context_parallel: Annotated[PositiveInt, Execution()] = 1
    """So many workers share each packed row, for long rows: each computes its part of the tokens, and in attention all
    tokens of its part of the heads. `workers` and the model's heads must be multiples of it."""

    fp8: bool = False
    """Products of the decoder's linear layers in float8 by torchao, with a scale for each tensor; CUDA from compute
    capability 8.9 (Hopper, Ada). A CPU emulates it, slowly."""

    activation_checkpointing: Annotated[Literal["none", "selective", "full"], Execution()] = "none"
    """Activations computed again in the backward pass instead of kept: all but the matrix products', or all."""

    compile: Annotated[bool, Execution()] = False
    """Compile the decoder's layers by `torch.compile`; needs a C++ compiler on a CPU."""

    checkpoint_every: Annotated[PositiveInt, Execution()] = 50
    """Steps between checkpoints."""

    keep_checkpoints: Annotated[PositiveInt, Execution()] = 2
    """Checkpoints to keep: the newest or, with held-out rows, the best by their loss and always the newest."""

    track: Annotated[list[Literal["wandb", "mlflow"]], Execution()] = []
    """Trackers that get each step beside TensorBoard, where the run directory is local. W&B writes files for `wandb
    sync` unless WANDB_API_KEY is set; MLflow writes to `<run>/train` unless MLFLOW_TRACKING_URI is set."""

    track_project: Annotated[str, Execution()] = "wavecoder"
    """W&B's project and MLflow's experiment."""

    max_failures: Annotated[NonNegativeInt, Execution()] = 3
    """How often lost workers are replaced before the run fails."""

    @model_validator(mode="after")
    def _possible(self) -> "TrainConfig":
        read_prompt(self.prompt)
        if self.attention == "flash" and not (self.use_gpu and self.dtype == "bfloat16"):
            raise ValueError("attention flash needs use_gpu: true and dtype: bfloat16; take auto")
        if self.min_workers is not None and self.min_workers > self.workers:
            raise ValueError(f"min_workers {self.min_workers} is more than workers {self.workers}; lower it")
        if self.attention == "flex" and not self.use_gpu:
            raise ValueError("attention flex needs use_gpu: true; take auto")
        if self.lora_rank == 0 and (self.lora_from or self.lora_rank_stabilized or self.lora_dora):
            raise ValueError("lora_from, lora_rank_stabilized and lora_dora need a lora_rank above 0")
        if self.optimizer == "muon" and self.lora_rank:
            raise ValueError("optimizer muon is for whole matrices, not for adapters; take adamw, or lora_rank 0")
        self._check_memory()
        if self.objective != "sft":
            self._check_preference()
        return self

    def _check_memory(self) -> None:
        if self.lora_base == "nf4" and (self.lora_rank == 0 or self.lora_dora):
            raise ValueError("lora_base nf4 needs a lora_rank above 0, without lora_dora")
        if self.fp8 and (self.lora_rank or self.dtype != "bfloat16"):
            raise ValueError("fp8 needs dtype: bfloat16 and lora_rank: 0")
        if self.offload and self.optimizer == "muon" and self.use_gpu:
            raise ValueError("offload takes the optimizer's step on CPUs, for which muon's products are too slow; "
                             "take another optimizer")  # fmt: skip
        if self.context_parallel > 1 and not self.packing:
            raise ValueError("context_parallel shares packed rows; set packing: true")
        if self.workers % self.context_parallel or (self.context_parallel > 1 and self.min_workers):
            raise ValueError(f"context_parallel {self.context_parallel} needs workers that are a multiple of it, and "
                             f"no min_workers; workers is {self.workers}")  # fmt: skip

    @property
    def lora_scale(self) -> float:
        """Factor of the adapters' product."""
        return self.lora_alpha / (math.sqrt(self.lora_rank) if self.lora_rank_stabilized else max(1, self.lora_rank))

    def _check_preference(self) -> None:
        set_to = {"min_workers": self.min_workers, "evaluate_every": self.evaluate_every, "holdout": self.holdout,
                  "compile": self.compile, "offload": self.offload, "fp8": self.fp8,
                  "context_parallel": self.context_parallel > 1}  # fmt: skip
        wrong = [name for name, value in set_to.items() if value]
        if wrong:
            raise ValueError(f"objective {self.objective} does not go with {', '.join(wrong)}; leave them out")
        if self.global_batch % (self.micro_batch * self.workers):
            raise ValueError(f"objective {self.objective} needs a global_batch that is a multiple of micro_batch × "
                             f"workers, {self.micro_batch * self.workers}; it is {self.global_batch}")  # fmt: skip
        if self.objective == "kto" and self.micro_batch < 2:
            raise ValueError("objective kto compares the rows of a forward pass; set micro_batch to 2 or more")


def read_prompt(prompt: str) -> str:
    """The setting `train.prompt` as every machine can read it: a file's text in the place of its path.

    Raises:
        ValueError: it is neither `paper` nor `model`, nor a file that holds a template.
    """
    if prompt in ("paper", "model") or "{{" in prompt:
        return prompt
    try:
        text = Path(prompt).expanduser().read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"train.prompt is {prompt!r}, which cannot be read ({error}); take paper, model or the file "
                         "of a Jinja chat template") from None  # fmt: skip
    if "{{" not in text:
        raise ValueError(f"train.prompt: {prompt!r} holds no Jinja chat template, as there is no {{{{ in it")
    return text
