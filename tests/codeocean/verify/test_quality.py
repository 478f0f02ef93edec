"""Faults that a text shows by itself: each is found, and good instances have none."""

from pathlib import Path

import pytest

from codeocean.generate.golden_faults import cases_of, load_pairs
from codeocean.generate.judge_agreement import load_golden
from codeocean.generate.tasks import load_tasks
from codeocean.verify.quality import FAULTS, QualityConfig, find_fault, language_of, repeated_share, script_of
from core.languages import EXECUTED
from core.strict_yaml import read_yaml

CONFIG = QualityConfig()
SUM = "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n"


def fault_of(
    solution, instruction="Write a function that adds up a list.", information="", *, prose=False, language="python"
):
    row = {"instruction": instruction, "information": information, "solution": solution}
    return find_fault(CONFIG, row, prose=prose, language=language)


def summary(text, **more):
    return fault_of(text, "Summarize the function in plain words.", SUM, prose=True, **more)


def test_good_ones_have_none():
    assert fault_of(SUM) == ""
    assert summary("It adds up the numbers of a list and returns their sum, which is zero for an empty list.") == ""


@pytest.mark.parametrize(
    "text",
    [
        "The function returns the sum. " * 6,
        "\n".join(["Adds all of the values up"] * 6),
        "It loops over the list and adds each value and " * 5 + "returns it.",
        "返回列表的总和。" * 6,
    ],
)
def test_a_summary_that_says_the_same_again_and_again(text):
    assert summary(text) in {"repeats itself", "other human language"}
    assert find_fault(QualityConfig(faults=("repeats itself",)), {"instruction": "", "information": "", "solution": text},
                      prose=True, language="") == "repeats itself"  # fmt: skip


def test_letters_that_go_round_are_repeated_too():
    assert summary("It gives ha" + "ha" * 40) == "repeats itself"


def test_code_that_says_the_same_again_and_again():
    again = "def f(a):\n" + "    a = normalize(a, strict=True)\n" * 12 + "    return a\n"
    assert fault_of(again) == "repeats itself"
    table = (
        "def f(a):\n" + "".join(f"    if a == {n}:\n        return 'name {n}'\n" for n in range(12)) + "    return ''\n"
    )
    assert fault_of(table) == ""


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("def f(a):\n    # your code here\n    return a\n", "python"),
        ("def f(a):\n    pass\n", "python"),
        ("def f(a):\n    '''Sum.'''\n    raise NotImplementedError\n", "python"),
        ("function f(a) {\n  // TODO: implement this\n  return a;\n}", "javascript"),
        ("int f(int a) {\n  /* ... rest of the code ... */\n  return a;\n}", "c"),
        ("func f(a int) int {\n\t// Add your logic below\n\treturn a\n}", "go"),
        ("def f(a):\n    # ... (same as above)\n    return a\n", "python"),
        ("def f(a):\n    # Replace this with your own logic\n    return a\n", "python"),
        ("def f(a):\n    # Placeholder for the actual computation\n    return 0\n", "python"),
    ],
)
def test_placeholders(code, language):
    assert fault_of(code, language=language) == "placeholder"
    if "//" in code or "#" in code or "/*" in code:  # what was given is not held against the answer
        assert fault_of(code + "\n", information=code, language=language) == ""


@pytest.mark.parametrize("text", ["...", "N/A", "<summary>", "It adds values up. TODO: describe the rest."])
def test_a_summary_that_is_none(text):
    assert summary(text) == "placeholder"


def test_an_abstract_method_among_others_is_no_placeholder():
    abstract = "class Shape:\n    def area(self):\n        raise NotImplementedError\n"
    assert fault_of(abstract) == "placeholder"
    assert fault_of(f"{abstract}\n    def twice(self):\n        return 2 * self.area()\n") == ""
    assert fault_of("interface Shape {\n  double area(int unit);\n}", language="java") == ""


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I cannot summarize this function without more context.",
        "As an AI language model, I can say that it adds numbers up in a loop.",
        "I apologize for the confusion; the function adds up a list of numbers.",
        "Please provide the code that you would like me to summarize in words.",
        "I don't have enough information to say what the function is for.",
        "I do not have access to the module, so its behaviour is unclear.",
        "The function was not given. Please share the code that is meant.",
        "Unfortunately, I can't tell what the function does with the list.",
        "It is not possible for me to summarize this function.",
        "抱歉，我无法完成这个请求。",
    ],
)
def test_apologies_and_refusals(text):
    assert summary(text) == "refusal"
    assert fault_of(f"# {text}\n{SUM}") == "refusal"
    assert fault_of(SUM, "Please provide a function that adds up a list and says sorry if I'm unable to.") == ""
    assert fault_of(f"def f(user):\n    return {text!r} if user else ''\n") == ""  # a string is data
    assert summary(f"The function returns the message `{text}` for a user that it knows.") != "refusal"
    assert summary("It raises an error if the value is missing: please provide a value to it.") == ""


def test_an_answer_in_the_prompts_own_words():
    instruction = "Summarize what the function total does with the list of values that it is given."
    assert fault_of("The function total does with the list of values that it is given.", instruction, prose=True) == (
        "repeats the prompt"
    )
    documented = f"def total(values):\n    '''Add up a list of numbers and return the sum of them all.'''\n{SUM[19:]}"
    assert fault_of(documented, "Add up a list of numbers and return the sum of them all.") == ""
    assert fault_of(SUM, "Fix it.", SUM.replace("+=", "-=")) == ""


def test_dead_code_has_its_name():
    assert fault_of("def f(a):\n    return a\n    return a + 1\n") == "dead code"


def test_answers_in_another_script_or_language():
    assert summary(
        "Die Funktion addiert die Werte der Liste und gibt die Summe mit einer Schleife zurück, wenn es geht."
    ) == ("other human language")
    assert summary("Функция складывает все числа списка и возвращает их сумму.") == "other human language"
    assert summary("関数はリスト `values` の値を合計して `result` を返します。") == "other human language"
    assert (
        fault_of(SUM.replace("    result = 0", "    # 将列表中的所有数字相加并返回总和\n    result = 0"))
        == "other human language"
    )
    for text in (
        "Cette fonction calcule la somme des valeurs de la liste et renvoie le total.",
        "Den här funktionen summerar alla värden i listan och returnerar summan av dem.",
        "Bu fonksiyon listedeki tüm değerleri toplar ve toplamı döndürür.",
        "Hàm này tính tổng tất cả các giá trị trong danh sách và trả về kết quả.",
    ):
        assert fault_of(text, "Explain what this function does.", SUM, prose=True) == "other human language"
        assert fault_of(text, text, SUM, prose=True) != "other human language"
    chinese = "请编写一个函数，返回列表中所有数字的总和。"
    assert (
        fault_of(SUM.replace("    result = 0", "    # 将列表中的所有数字相加并返回总和\n    result = 0"), chinese) == ""
    )


def test_scripts_languages_and_shares():
    assert (script_of("plain words of English"), script_of("x = 1"), script_of("日本語のテキスト")) == (
        "LATIN",
        "",
        "CJK",
    )
    assert language_of("It returns the sum of the values that are in the list.") == "en"
    assert language_of("La fonction renvoie la somme des valeurs qui sont dans une liste.") == "fr"
    assert language_of("sort map filter") == ""
    assert repeated_share([*"abcdeabcde"], 5) == 0.5
    assert repeated_share([*"abc"], 5) == 0.0


def test_only_the_configured_faults_are_looked_for():
    row = {"instruction": "", "information": "", "solution": "def f(a):\n    return a\n    return 1\n"}
    assert find_fault(QualityConfig(faults=("refusal",)), row, prose=False, language="python") == ""
    with pytest.raises(ValueError, match="faults"):
        QualityConfig.model_validate({"faults": ["typos"]}, strict=False)


def test_no_good_instance_of_the_golden_set_has_a_fault():
    tasks = load_tasks(None)
    rows = [(name, case.language, case.as_generation("x"))
            for name, cases in load_golden(tasks).items() for case in cases if not case.broken]  # fmt: skip
    # Their faults are of meaning: a text alone shows none.
    rows += [(case.task, case.language, case.generation) for case in cases_of(load_pairs(), EXECUTED, 10)]
    assert len(rows) > 500
    for name, language, row in rows:
        language, prose = row["target_language"] or language, tasks[name].solution == "prose"
        assert find_fault(CONFIG, row, prose=prose, language=language) == "", row
    assert len(FAULTS) == 6


TEXTS = read_yaml(Path(__file__).with_name("quality_texts.yaml").read_text(encoding="utf-8")).value


@pytest.mark.parametrize("row", TEXTS, ids=[f"{row['language']} {row['text'][:40]}" for row in TEXTS])
def test_each_text_of_the_table_has_its_fault_and_no_other(row):
    prose = row["language"] == "prose"
    found = fault_of(row["text"], row["instruction"], row.get("given", ""), prose=prose, language=row["language"])
    assert found == row["fault"]


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("fn f(x: i32) -> i32 {\n    match x { 1 => return 2, _ => return 3 }\n    x\n}", "rust"),
        ("int f(int x) {\n  switch (x) { case 1: case 2: return 2; default: return 3; }\n  return 4;\n}", "cpp"),
        ("int f(int x) { switch (x) { case 1 -> { return 2; } default -> { return 3; } } return 4; }", "java"),
        ("int f(int x) { try { return g(x); } catch (E e) { throw e; } return 4; }", "java"),
        ("func f(x int) int {\n\tswitch {\n\tcase x > 1:\n\t\treturn 2\n\tdefault:\n\t\tpanic(1)\n\t}\n\treturn 4\n}", "go"),
        ("<?php function f($x) { while (true) { g($x); } return 1; }", "php"),
        ("int F(int x) { try { return G(x); } catch { throw; } return 4; }", "csharp"),
        ("import sys\n\n\ndef f(x):\n    sys.exit(x)\n    return x\n", "python"),
    ],
)  # fmt: skip
def test_nothing_runs_behind_what_never_ends_or_always_leaves(code, language):
    assert fault_of(code, language=language) == "dead code"


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("int f(int x) {\n  switch (x) { case 1: return 2; default: x++; break; }\n  return 4;\n}", "cpp"),
        ("int f(int x) {\n  switch (x) { case 1: return 2; case 2: return 3; }\n  return 4;\n}", "cpp"),
        ("int f(int x) { try { return g(x); } catch (E e) { log(e); } return 4; }", "java"),
        ("int f(int x) { while (true) { if (g(x)) break; } return 4; }", "java"),
        ("func f(x int) int {\n\tfor x > 1 {\n\t\tx--\n\t}\n\treturn x\n}", "go"),
        ("func f(x int) int {\n\tselect {\n\tcase <-a:\n\t\treturn 1\n\tdefault:\n\t}\n\treturn x\n}", "go"),
        ("def f(x):\n    with lock(x):\n        return 1\n    return 2\n", "python"),
        ("def f(x):\n    try:\n        return g(x)\n    except KeyError:\n        raise\n    except OSError:\n        x = 1\n    return x\n", "python"),
        ("fn f(x: i32) -> i32 {\n    while x > 3 { return 1; }\n    x\n}", "rust"),
    ],
)  # fmt: skip
def test_what_may_be_left_is_followed_by_code_that_runs(code, language):
    assert fault_of(code, language=language) == ""
