"""Chat templates of each family: what is learnt is the answers, and the tokens are those that transformers gives."""

import json

import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from tests.training.tokenizer_files import FAMILIES, write_tokenizer
from training.conversation import UncleanSplitError, plain_messages, template_of, tokenize_chat
from training.examples import IGNORED, tokenize_instance, tokenize_instances
from training.export import export_model
from training.model import build_learner, check_trainable, load_tokenizer
from training.optimizers import make_optimizer
from training.settings import TrainConfig, read_prompt
from training.step import train_steps
from training.template import chat_template_for

CHATML = (
    "{%- if messages[0]['role'] != 'system' -%}{{ '<|im_start|>system\nYou help.<|im_end|>\n' }}{%- endif -%}"
    "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
MARKED = (
    "{%- for message in messages -%}{{ '<|im_start|>' + message['role'] + '\n' }}{%- if message['role'] == 'assistant' "
    "-%}{%- generation -%}{{ message['content'] + '<|im_end|>' }}{%- endgeneration -%}{%- else -%}{{ message['content'] "
    "+ '<|im_end|>' }}{%- endif -%}{{ '\n' }}{%- endfor -%}{%- if add_generation_prompt -%}"
    "{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
LLAMA_2 = (
    "{%- for message in messages -%}{%- if message['role'] == 'user' -%}{{ bos_token + '[INST] ' + "
    "message['content'].strip() + ' [/INST]' }}{%- elif message['role'] == 'assistant' -%}{{ ' ' + "
    "message['content'].strip() + ' ' + eos_token }}{%- else -%}{{ raise_exception('only user and assistant') }}"
    "{%- endif -%}{%- endfor -%}"
)
DEEPSEEK_CODER = (
    "{{ bos_token }}{%- for message in messages -%}{%- if message['role'] == 'system' -%}{{ message['content'] }}"
    "{%- elif message['role'] == 'user' -%}{{ '### Instruction:\n' + message['content'] + '\n' }}{%- else -%}"
    "{{ '### Response:\n' + message['content'] + '\n<|EOT|>\n' }}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '### Response:' }}{%- endif -%}"
)
PHI_3 = (
    "{%- for message in messages -%}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>\n' }}{%- else -%}{{ eos_token }}{%- endif -%}"
)
THINKING = CHATML.replace("message['content'] + '<|im_end|>'", "(('<|think|><|/think|>' if loop.last and "
                          "message['role'] == 'assistant' else '') + message['content']) + '<|im_end|>'")  # fmt: skip
DATED = "{{ strftime_now('%d %b %Y') + '\n' }}" + CHATML
TEMPLATES = {"chatml": CHATML, "marked": MARKED, "llama-2": LLAMA_2, "deepseek-coder": DEEPSEEK_CODER, "phi-3": PHI_3}
EXTRA = ["<|im_start|>", "<|im_end|>", "<|EOT|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>", "<|think|>",
         "<|/think|>"]  # fmt: skip
CHAT = [
    {"role": "user", "content": "Add  one."}, {"role": "assistant", "content": "def f(x):\n\treturn x + 1"},
    {"role": "user", "content": "Twice?"}, {"role": "assistant", "content": "f(f(x))"},
]  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A tokenizer of each family that knows the control tokens of all templates."""
    made = {}
    for family, make in FAMILIES.items():
        made[family] = tmp_path_factory.mktemp(family)
        tokenizer = make()
        tokenizer.add_special_tokens(EXTRA)
        write_tokenizer(made[family], tokenizer)
        LlamaConfig(vocab_size=700).save_pretrained(made[family])
    return made


def load(folders, template, family="byte-level"):
    return load_tokenizer(str(folders[family]), template)


def learnt_texts(tokenizer, ids, learnt):
    """The decoded runs of what is learnt."""
    runs, last = [], False
    for token, is_learnt in zip(ids, learnt, strict=True):
        if is_learnt and not last:
            runs.append([])
        if is_learnt:
            runs[-1].append(token)
        last = is_learnt
    return [tokenizer.decode(run) for run in runs]


ENDS = {"chatml": "<|im_end|>", "marked": "<|im_end|>", "llama-2": " </s>", "deepseek-coder": "\n<|EOT|>",
        "phi-3": "<|end|>"}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_answers_or_the_last_are_learnt_with_their_ends(folders, family, name):
    tokenizer = load(folders, TEMPLATES[name], family)
    ids, learnt = tokenize_chat(tokenizer, CHAT, "all")
    begins = {"llama-2": " ", "deepseek-coder": "\n"}.get(name, "")
    answers = [begins + message["content"] + ENDS[name] for message in CHAT[1::2]]
    found = learnt_texts(tokenizer, ids, learnt)
    assert [text.lstrip(" ") for text in found] == [text.lstrip(" ") for text in answers]
    whole = tokenizer.apply_chat_template(CHAT, tokenize=False)
    assert tokenizer.decode(ids).replace(" ", "") == whole[: whole.rindex(ENDS[name]) + len(ENDS[name])].replace(
        " ", ""
    )
    last_ids, last = tokenize_chat(tokenizer, CHAT, "last")
    assert learnt_texts(tokenizer, last_ids, last) == found[1:]


@pytest.mark.parametrize("name", ["chatml", "marked"])
def test_tokens_and_mask_are_those_of_transformers(folders, name):
    tokenizer = load(folders, TEMPLATES[name])
    ids, learnt = tokenize_chat(tokenizer, CHAT, "all")
    whole = tokenizer.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    assert ids == whole["input_ids"][: len(ids)]
    if name == "marked":
        assert [int(each) for each in learnt] == whole["assistant_masks"][: len(ids)]
        assert not any(whole["assistant_masks"][len(ids) :])
    opened = tokenizer.apply_chat_template(CHAT[:-1], add_generation_prompt=True, return_dict=False)
    ids, learnt = tokenize_chat(tokenizer, CHAT, "last")
    assert ids[: learnt.index(True)] == opened


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("family", FAMILIES)
def test_text_that_spells_a_control_token_stays_text_in_every_turn(folders, family, name):
    tokenizer, spelled = load(folders, TEMPLATES[name], family), "a <|im_end|> b </s>c <|EOT|>"
    chat = [{"role": role, "content": f"{spelled} {number}"} for number, role in
            enumerate(["user", "assistant", "user", "assistant"])]  # fmt: skip
    plain = [{"role": message["role"], "content": "a"} for message in chat]
    special = set(tokenizer.added_tokens_decoder)
    (ids, learnt), (plain_ids, _) = (tokenize_chat(tokenizer, each, "all") for each in (chat, plain))
    assert [token for token in ids if token in special] == [token for token in plain_ids if token in special]
    for text in learnt_texts(tokenizer, ids, learnt):
        assert spelled in text


def test_system_and_tool_turns_that_a_template_does_not_show_are_carried_as_text(folders):
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sum?"},
            {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}]},
            {"role": "tool", "content": "2"}, {"role": "assistant", "content": "It is 2."}]  # fmt: skip
    text = template_of(load(folders, LLAMA_2)).render(chat, "all").text
    assert text == ('<s>[INST] Be brief.\n\nSum? [/INST] {"name": "add", "arguments": {"a": 1}} </s><s>[INST] 2 [/INST] '
                    "It is 2. </s>")  # fmt: skip
    text = template_of(load(folders, CHATML)).render(chat, "last").text
    assert "<|im_start|>system\nBe brief.<|im_end|>" in text and "<|im_start|>tool\n2<|im_end|>" in text
    text = template_of(load(folders, "paper")).render(chat, "all").text
    assert text.startswith("Be brief.\n\nBelow is") and "### Instruction:\n2\n\n### Response:It is 2.</s>" in text


@pytest.mark.parametrize("behind", ["<|im_end|>", "\\n<|im_end|>"], ids=["directly", "in the next line"])
def test_marks_that_leave_out_the_end_of_an_answer_learn_it_all_the_same(folders, behind):
    """Else the tuned model would never stop."""
    out = MARKED.replace("+ '<|im_end|>' }}{%- endgeneration -%}", "}}{%- endgeneration -%}{{ '" + behind + "' }}", 1)
    tokenizer, chat = load(folders, out), [*CHAT[:1], {"role": "assistant", "content": ""}, *CHAT[2:]]
    ids, learnt = tokenize_chat(tokenizer, chat, "all")
    end = behind.replace("\\n", "\n")
    assert learnt_texts(tokenizer, ids, learnt) == [end, f"f(f(x)){end}"]
    assert learnt_texts(tokenizer, *tokenize_chat(tokenizer, CHAT, "last")) == [f"f(f(x)){end}"]


def test_an_answer_that_is_marked_in_parts_is_one_answer(folders):
    parts = MARKED.replace("{%- generation -%}", "{%- generation -%}{{ 'So: ' }}{%- endgeneration -%}{{ '\n' }}"
                                                 "{%- generation -%}")  # fmt: skip
    ids, learnt = tokenize_chat(load(folders, parts), CHAT, "last")
    assert learnt_texts(load(folders, parts), ids, learnt) == ["So: ", "f(f(x))<|im_end|>"]


def test_a_template_whose_answers_change_later_learns_the_last_alone(folders):
    tokenizer = load(folders, THINKING)
    ids, learnt = tokenize_chat(tokenizer, CHAT, "last")
    assert learnt_texts(tokenizer, ids, learnt) == ["<|think|><|/think|>f(f(x))<|im_end|>"]
    with pytest.raises(UncleanSplitError, match="take train.loss_on: last"):
        tokenize_chat(tokenizer, CHAT, "all")
    rows = [{"messages": CHAT}, {"instruction": "Add.", "input": "", "output": "x"}]
    examples, counts = tokenize_instances(rows, tokenizer, 400)
    assert (len(examples), counts["unclean_split"]) == (1, 1)
    with pytest.raises(ValueError, match="none of 1 instances has answers that the chat template"):
        tokenize_instances(rows[:1], tokenizer, 400)


def test_a_template_that_writes_the_date_gives_the_same_rows_on_every_day(folders):
    assert template_of(load(folders, DATED)).render(CHAT, "all").text.startswith("26 Jul 2024\n")


REFUSED = {
    "no special token ends its answers": "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}",
    "is not the beginning of the chat": CHATML.replace("assistant\n'", "assistant says\n'"),
    "it leaves the answer out": CHATML.replace(
        "message['content'] +", "(message['content'] if message['role'] == 'user' else '') +"
    ),
    "it cannot show the chat": "{{ raise_exception('no') }}",
    "cannot show the chat: .*(expected|unexpected|Unexpected)": "{{ messages[",
    "marks of generation do not hold": "{% for m in messages %}{% generation %}{{ m['role'] }}{% endgeneration %}"
    "{{ m['content'] + eos_token }}{% endfor %}",
    "no special token ends its answers; end them": MARKED.replace(
        "{{ message['content'] + '<|im_end|>' }}{%- endgen", "{{ message['content'] }}{%- endgen"
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_template_that_is_no_clean_split_is_one_clear_line(folders, why, tmp_path):
    (tmp_path / "own.jinja").write_text(REFUSED[why])
    with pytest.raises(ValueError, match=f"^train.prompt cannot be trained with: .*{why}") as refused:
        load(folders, str(tmp_path / "own.jinja"))
    assert "\n" not in str(refused.value)


def test_a_prompt_that_is_not_there_is_one_clear_line(folders, tmp_path):
    with pytest.raises(ValueError, match="the tokenizer of train.model has no chat template; take paper"):
        load(folders, "model")
    with pytest.raises(ValueError, match="which cannot be read .* take paper, model or the file"):
        read_prompt(str(tmp_path / "none.jinja"))
    (tmp_path / "empty.jinja").write_text("Hello")
    with pytest.raises(ValueError, match="holds no Jinja chat template"):
        read_prompt(str(tmp_path / "empty.jinja"))


@pytest.mark.parametrize("at", [0, 1])
def test_half_a_surrogate_pair_leaves_the_row_out(folders, at):
    """JSON of messages can spell it; no tokenizer reads it."""
    chat = [
        message | {"content": message["content"] + "\ud83d" * (number == at)} for number, message in enumerate(CHAT)
    ]
    examples, counts = tokenize_instances([{"messages": json.dumps(each)} for each in (chat, CHAT)],
                                          load(folders, CHATML), 400)  # fmt: skip
    assert (len(examples), counts["changed_by_tokenizer"]) == (1, 1)


def test_messages_of_other_forms(folders):
    parts = [{"role": "human", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    assert plain_messages(parts) == [{"role": "user", "content": "ab"}]
    assert plain_messages([{"role": "model", "content": ["a", "b"]}]) == [{"role": "assistant", "content": "ab"}]
    called = {"role": "assistant", "content": "x"}
    older = called | {"content": None, "function_call": {"name": "f", "arguments": "{}"}}
    assert plain_messages([older])[0]["content"] == '{"name": "f", "arguments": "{}"}'
    for wrong in (
        {"role": "critic", "content": "x"}, {"role": "user", "content": 3}, {"content": "x"},
        {"role": "user", "content": [{"type": "text", "text": 3}]}, called | {"tool_calls": ["f()"]},
        called | {"tool_calls": {"function": {}}}, called | {"tool_calls": 1}, called | {"tool_calls": [{"function": None}]}, called | {"content": [{"type": "image"}]},
        called | {"content": {"text": "x"}},
    ):  # fmt: skip
        with pytest.raises(UncleanSplitError, match="role"):
            plain_messages([wrong])
    tokenizer = load(folders, CHATML)
    given = tokenize_instance({"messages": json.dumps(CHAT), "task": None}, tokenizer, 400)
    assert given == tokenize_instance({"messages": CHAT}, tokenizer, 400)
    assert tokenize_instance({"messages": CHAT}, tokenizer, 20) is None
    cut = tokenize_instance({"messages": CHAT}, tokenizer, len(given.input_ids) - 2)
    assert cut.truncated and cut.input_ids == given.input_ids[:-2]


def test_chat_templates_of_which_none_is_the_default_are_named_in_one_line(tmp_path):
    named = [{"name": "rag", "template": CHATML}, {"name": "tool_use", "template": MARKED}]
    write_tokenizer(tmp_path, FAMILIES["byte-level"](), chat_template=named)
    with pytest.raises(
        ValueError, match=r"several chat templates \(rag, tool_use\) and none called default; write one"
    ):
        load_tokenizer(str(tmp_path), "model")


def test_a_row_without_an_answer_is_left_out_and_counted(folders):
    whole = {"instruction": "Add one.", "output": "x + 1"}
    rows = [{}, {"messages": None}, {"prompt": "a", "completion": "b"}, whole | {"output": None}, whole]
    examples, counts = tokenize_instances(rows, load(folders, "paper"), 400)
    assert (len(examples), counts["unclean_split"]) == (1, 4)
    assert examples == tokenize_instances([whole | {"input": ""}], load(folders, "paper"), 400)[0]


@pytest.fixture
def base(folders, tmp_path):
    write_tokenizer(tmp_path / "base", AutoTokenizer.from_pretrained(folders["byte-level"]).backend_tokenizer,
                    chat_template=MARKED)  # fmt: skip
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=700, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512)  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


ROWS = [{"messages": CHAT}, {"messages": CHAT[:2]}, {"instruction": "Double.", "input": "x", "output": "2 * x"}]


@pytest.mark.parametrize("prompt", ["paper", "model", CHATML], ids=["paper", "model", "file"])
@pytest.mark.parametrize("learn", ["all", "last"])
def test_loss_and_gradients_are_those_of_a_plain_loop(base, prompt, learn):
    config = TrainConfig(model=base, prompt=prompt, loss_on=learn, max_length=400, global_batch=3)
    tokenizer = load_tokenizer(base, prompt)
    examples, _ = tokenize_instances(ROWS, tokenizer, 400, learn)
    learner = build_learner(config, tokenizer, torch.device("cpu"))
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
    total = torch.zeros(())
    count = sum(label != IGNORED for example in examples for label in example.labels[1:])
    for example in examples:
        logits = plain(torch.tensor([example.input_ids])).logits[0, :-1]
        total = total + F.cross_entropy(logits, torch.tensor(example.labels[1:]), reduction="sum", ignore_index=IGNORED)
    (total / count).backward()
    norm = torch.nn.utils.get_total_norm([weight.grad for weight in plain.parameters()])
    record = next(train_steps(learner, make_optimizer(learner, config), examples, config, tokenizer.pad_token_id, 0))
    assert record["loss"] == pytest.approx((total / count).item(), rel=1e-5)
    assert record["grad_norm"] == pytest.approx(float(norm), rel=1e-4)


def test_export_speaks_and_stops_as_it_was_trained(base, tmp_path):
    check_trainable(TrainConfig(model=base, prompt="model", max_length=256))
    tokenizer = load_tokenizer(base, "model")
    learner = build_learner(TrainConfig(model=base, prompt="model", max_length=256), tokenizer, torch.device("cpu"))
    export_model(learner, tokenizer, base, str(tmp_path / "tuned"), {})
    assert chat_template_for(str(tmp_path / "tuned")) is None
    assert AutoTokenizer.from_pretrained(tmp_path / "tuned").chat_template == MARKED
    ends = json.loads((tmp_path / "tuned" / "generation_config.json").read_text())["eos_token_id"]
    assert tokenizer.convert_ids_to_tokens(ends) == ["<|im_end|>", "</s>"]
