"""Engines inside Ray Data (`ray.data.llm`), asked like an endpoint: no HTTP, no proxy between the questions and vLLM.

A chat's questions become the rows of one Ray Data stream that lives as long as the chat: queue → chat template →
engines → answers as they are ready, in any order. Every row is a block of its own, because Ray Data hands an engine
nothing until a batch is full, and the last questions of a round never fill one.

Cost: some milliseconds of Ray Data's scheduling for each question in the job's process. A lost engine is replaced and
its rows are asked again by Ray Data.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyarrow as pa
import ray
from ray.data import DataContext, Dataset, Datasource, ReadTask
from ray.data.block import BlockMetadata
from ray.util.queue import Queue

from core.chat import ChatAnswer, ChatRequest
from serve.engines.sampling import sglang_arguments, sglang_sampling, vllm_sampling
from serve.engines.settings import EngineConfig, Model, engine_arguments, engine_bundles, engine_environment

Row = dict[str, Any]

Processor = Callable[[Dataset], Dataset]
"""Rows `number, messages, sampling_params` → rows `number, generated_text, num_…_tokens, __inference_error__`."""


class Software(NamedTuple):
    """One kind of engine."""

    engines: Callable[[Model, EngineConfig, dict[str, str], int], Processor]
    sampling: Callable[[ChatRequest], Row]
    """A request in its words."""


class _Questions(Datasource):
    """What comes out of a queue, until None does."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:  # noqa: ARG002 - Ray's signature
        queue = self._queue

        def read() -> Iterator[pa.Table]:
            while (row := queue.get()) is not None:
                yield pa.Table.from_pylist([row])

        nothing_known = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(read, nothing_known)]


class DataChat:
    """A chat as `serve.client.chat.ChatClient` is one. Any event loop's, but one thread's."""

    def __init__(self, processor: Processor, sampling: Callable[[ChatRequest], Row] = vllm_sampling) -> None:
        """Args: processor: the engines, which start with the first question; sampling: a request in their words."""
        self._processor, self._sampling = processor, sampling
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Row]] = {}
        self._queue: Queue | None = None
        self._reader: threading.Thread | None = None
        self._failure: ConnectionError | None = None

    async def __call__(self, request: ChatRequest) -> ChatAnswer:
        """One answer, as `ChatClient` gives it; how many tokens the prefix cache held, Ray Data does not say.

        Raises:
            ConnectionError: the engines cannot start, or died for good.
        """
        sampling = self._sampling(request)
        if self._queue is None:
            self._start()
        assert self._queue is not None
        number, begun = next(self._numbers), time.monotonic()
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        try:
            if self._failure is not None:
                raise self._failure
            await self._queue.put_async({"number": number, "messages": request.messages, "sampling_params": sampling})
            row = await answer
        finally:
            del self._waiting[number]
        return _answer(row, request.max_tokens, time.monotonic() - begun)

    def close(self) -> None:
        """End the stream, and with it the engines."""
        if self._queue is not None and self._reader is not None:
            if self._failure is None:
                self._queue.put(None)
            self._reader.join()
            self._queue.shutdown()
            self._queue = None

    def _start(self) -> None:
        self._queue = Queue(actor_options={"num_cpus": 0})
        context = DataContext.get_current().copy()
        context.target_max_block_size = 1  # bytes: every row is handed on at once
        context.enable_progress_bars = False
        with DataContext.current(context):
            # What a lost reader has taken from the queue is lost with it: better an end, after which the job goes on.
            once = {"num_cpus": 0, "max_retries": 0}
            rows = ray.data.read_datasource(_Questions(self._queue), ray_remote_args=once, override_num_blocks=1)
            stream = self._processor(rows)
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream: Dataset) -> None:
        """Hand answers over; in a thread of its own."""
        failure = "the stream ended"
        try:
            for batch in stream.iter_batches(batch_size=None, prefetch_batches=0, batch_format="pyarrow"):
                for row in batch.to_pylist():
                    if (answer := self._waiting.get(row["number"])) is not None:
                        _hand_over(answer, row)
        except Exception as error:  # noqa: BLE001 - whatever ends the stream, those who wait must learn of it
            failure = str(error)
        self._failure = ConnectionError(f"the engines inside Ray Data ended: {' '.join(failure.split())[-1500:]}")
        for answer in list(self._waiting.values()):
            _hand_over(answer, self._failure)


def _hand_over(answer: asyncio.Future[Row], outcome: Row | ConnectionError) -> None:
    """Settle a future from another thread, unless nobody waits for it any more."""

    def settle() -> None:
        if not answer.done():
            answer.set_exception(outcome) if isinstance(outcome, ConnectionError) else answer.set_result(outcome)

    with contextlib.suppress(RuntimeError):  # its loop is closed
        answer.get_loop().call_soon_threadsafe(settle)


@contextmanager
def data_chat(
    model: Model, config: EngineConfig, environment: dict[str, str], places: int, software: Software
) -> Iterator[DataChat]:
    """A chat with a model whose engines run inside Ray Data while the context is open.

    Args:
        model: what to load.
        config: how its engines run; `min_replicas` to `max_replicas` of them.
        environment: environment variables of the engines.
        places: questions in flight at one engine.
        software: `VLLM` or `SGLANG`.
    """
    chat = DataChat(software.engines(model, config, environment, places), software.sampling)
    try:
        yield chat
    finally:
        chat.close()


def engines(model: Model, config: EngineConfig, environment: dict[str, str], places: int) -> Processor:
    """VLLM's engines as a step of a Ray Data stream; arguments as `data_chat`."""
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    settings = vLLMEngineProcessorConfig(
        engine_kwargs=engine_arguments(config),
        placement_group_config={"bundles": engine_bundles(config)},
        should_continue_on_error=True,  # one question's trouble is its own
        log_engine_metrics=False,
        **_common(model, config, environment, places),
    )
    return build_processor(settings)


def sglang_engines(model: Model, config: EngineConfig, environment: dict[str, str], places: int) -> Processor:
    """SGLang's in their place; written after the source of Ray 2.60, and not run yet: it needs GPUs."""
    from ray.data.llm import SGLangEngineProcessorConfig, build_processor
    from ray.llm._internal.batch.stages.sglang_engine_stage import SGLangEngineStageUDF

    class OneByOne(SGLangEngineStageUDF):
        """What SGLang refuses, such as a question too long, is that question's failure: Ray would end the stream."""

        async def udf(self, batch: list[Row]) -> AsyncIterator[Row]:
            (row,) = batch  # batch_size is 1
            place = row[self.IDX_IN_BATCH_COLUMN]
            try:
                async for answer in super().udf(batch):
                    yield answer | {"__inference_error__": ""}
            except ValueError as error:
                empty = {"generated_text": None, "num_generated_tokens": 0, "num_input_tokens": 0}
                yield empty | {self.IDX_IN_BATCH_COLUMN: place, "__inference_error__": f"ValueError: {error}"}

    settings = SGLangEngineProcessorConfig(
        engine_kwargs=sglang_arguments(config), **_common(model, config, environment, places)
    )
    processor = build_processor(settings)
    (stage,) = [one for one in processor.stages.values() if one.fn is SGLangEngineStageUDF]
    stage.fn = OneByOne
    return processor


def _common(model: Model, config: EngineConfig, environment: dict[str, str], places: int) -> dict[str, Any]:
    """Settings that the processors of both have."""
    from ray.data.llm import ChatTemplateStageConfig

    return {
        "model_source": model.source,
        "runtime_env": {"env_vars": engine_environment(config) | environment},
        "batch_size": 1,
        "max_concurrent_batches": places,
        "concurrency": (config.min_replicas, config.max_replicas),
        "accelerator_type": config.accelerator_type,
        "chat_template_stage": ChatTemplateStageConfig(chat_template=model.chat_template, num_cpus=0, concurrency=1),
        "tokenize_stage": False,  # the engine does both
        "detokenize_stage": False,
    }


VLLM, SGLANG = Software(engines, vllm_sampling), Software(sglang_engines, sglang_sampling)


def _answer(row: Row, max_tokens: int, seconds: float) -> ChatAnswer:
    """An answer out of Ray Data's columns."""
    written, error = row["num_generated_tokens"], row["__inference_error__"]
    text = row["generated_text"] or ""
    return {
        "text": text,
        "finish_reason": "length" if written >= max_tokens else "stop",
        "prompt_tokens": row["num_input_tokens"],
        "cached_tokens": 0,
        "completion_tokens": written,
        "seconds": seconds,
        "error": error or ("" if text else "empty answer"),
    }
