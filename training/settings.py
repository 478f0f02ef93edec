"""Settings of the fine-tuning; the defaults are the demo's, the paper's stand beside them (section 3.1)."""

from typing import Literal

from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt


class TrainConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """Instruction data and a base model → WaveCoder."""

    model: str
    """Base model: Hugging Face id, folder, or packaged model."""

    epochs: PositiveInt = 1
    """Passes over the data; the paper's is 3."""

    max_length: PositiveInt = 2048
    """Tokens of a row; a longer response is cut, and counted."""

    global_batch: PositiveInt = 16
    """Rows of one optimizer step, over all workers; the paper's: 256 (StarCoder, CodeLLaMa) or 512 (DeepseekCoder)."""

    micro_batch: PositiveInt = 1
    """Rows of one forward pass of one worker. The result does not depend on it."""

    learning_rate: PositiveFloat = 2e-5
    """Peak rate; the paper's is 2e-5 (StarCoder, CodeLLaMa) or 5e-5 (DeepseekCoder)."""

    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Course of the learning rate behind the warm-up."""

    warmup_ratio: float = Field(default=0.03, ge=0.0, le=1.0)
    """Share of the steps over which the rate rises."""

    weight_decay: NonNegativeFloat = 0.0
    """AdamW's."""

    max_grad_norm: PositiveFloat = 1.0
    """Gradients are clipped to this norm."""

    seed: NonNegativeInt = 0
    """Random seed of the order of the rows."""

    workers: PositiveInt = 2
    """Training processes; the model's state is sharded over them (FSDP2)."""

    cpus_per_worker: PositiveInt = 1
    """Logical CPUs, and threads, of one worker."""

    use_gpu: bool = False
    """One GPU for each worker."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the computation; weights and the reduction of gradients stay float32."""

    activation_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them."""

    checkpoint_every: PositiveInt = 50
    """Steps between checkpoints."""

    keep_checkpoints: PositiveInt = 2
    """Newest checkpoints to keep."""

    max_failures: NonNegativeInt = 3
    """How often lost workers are replaced before the run fails."""
