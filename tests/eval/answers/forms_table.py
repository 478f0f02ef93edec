"""Answers in forms that were gathered after the other tables: consoles, notebooks, patches, tabs, tools, markup.

`PYTHON` answers `clamping`, which has a declaration, `ALONE` a problem without one, `FIXES` one whose question shows a
function with bugs; each holds what is right in plain sight. `KEPT` are answers in languages with braces.
"""

import json

from tests.eval.answers.reading_table import TQ, fenced

PROMPT = f"""from typing import List


def clamp_all(values: List[int], low: int, high: int) -> List[int]:
    {TQ}Each value, but none below low and none above high.

    >>> clamp_all([1, 5, 9], 2, 6)
    [2, 5, 6]
    {TQ}
"""
CODE = """def clamp_all(values, low, high):
    result = []
    for value in values:
        result.append(min(max(value, low), high))
    return result"""
BODY = CODE.partition("\n")[2]
WRONG = CODE.replace("min(max(value, low), high)", "max(min(value, low), high)")
HELPED = """def inside(value, low, high):
    return min(max(value, low), high)


def clamp_all(values, low, high):
    return [inside(value, low, high) for value in values]"""
LINES = CODE.split("\n")
SHORT = "def clamp_all(values, low, high):\n    return [min(max(v, low), high) for v in values]"


def led(mark: str, code: str = CODE) -> str:
    """Code with a mark before each line."""
    return "\n".join(f"{mark}{line}" for line in code.split("\n"))


def numbered(form: str, first: int = 1, code: str = CODE) -> str:
    return "\n".join(form.format(number) + line for number, line in enumerate(code.split("\n"), first))


def console(code: str, first: str = ">>> ", more: str = "... ") -> str:
    """Code as it is typed at a prompt, with an empty line behind each statement that is set in."""
    out = []
    for line in code.split("\n"):
        if not line:
            continue
        if line[0] not in " \t" and out and out[-1].startswith(f"{more} "):
            out.append(more.rstrip())
        out.append((more if line[0] in " \t" else first) + line)
    return "\n".join([*out, more.rstrip()])


def notebook(*cells: tuple[str, str | list[str]]) -> str:
    made = [{"cell_type": kind, "metadata": {}, "source": source} for kind, source in cells]
    for cell in made:
        cell |= {"outputs": [], "execution_count": 1} if cell["cell_type"] == "code" else {}
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


ESCAPED = json.dumps(CODE)[1:-1]
PYTHON = {
    # quotations, spoilers, tables, markup
    "spoiler marks around a fence": led(">! ", fenced(CODE)),
    "spoiler marks without a fence": "The answer, hidden:\n\n" + led(">! "),
    "spoiler bars": f"||{fenced(CODE)}||",
    "spoiler bars without a fence": f"||{CODE}||",
    "a quotation in a quotation": led("> > ", fenced(CODE)),
    "a quotation in a quotation, no fence": "> > How?\n>\n> So:\n>\n" + led("> "),
    "a quotation in a list": "1. Quote:\n\n" + led("   > ", fenced(CODE)),
    "a fence in a list in a quotation": "> - Code:\n" + led(">   ", fenced(CODE)),
    "a note of GitHub": "> [!NOTE]\n> The code:\n" + led("> ", fenced(CODE)),
    "a table with a line break": "| Language | Code |\n|---|---|\n| Python | `" + "<br>".join(LINES) + "` |",
    "a table with code": "| Language | Code |\n|:--|:--|\n| Python | <pre>" + "<br>".join(LINES) + "</pre> |",
    "a table of one line": "| what | code |\n|---|---|\n| it | `clamp_all = lambda values, low, high: [min(max(v, low), high) for v in values]` |",
    "details and pre": f'<details open>\n<summary>Show</summary>\n<pre lang="python"><code>{CODE}</code></pre>\n</details>',
    "pre with a class": f'<pre class="brush: python; gutter: false">\n{CODE}\n</pre>',
    "pre with styles": f'<div class="highlight"><pre style="line-height: 125%"><span></span>{CODE}\n</pre></div>',
    "a page": f"<!DOCTYPE html>\n<html>\n<body>\n<h1>Answer</h1>\n<p>It clamps.</p>\n<pre><code class='language-python'>{CODE}</code></pre>\n</body>\n</html>",
    "a script tag": f'<script type="text/python">\n{CODE}\n</script>',
    "a text area": f'<textarea rows="9">{CODE}</textarea>',
    "a tag with dashes": f'<code-block lang="python">\n{CODE}\n</code-block>',
    "kbd and samp": f"<samp>{CODE}</samp>",
    "entities of apostrophes": fenced(
        CODE.replace("[]", "list(&#39;&#39;)").replace(
            "    return result",
            "    return result if &#34;x&#34; &amp;&amp; 1 else result".replace("&amp;&amp;", "and"),
        )
    ),
    "entities by number": CODE.replace("(", "&#40;").replace(")", "&#41;"),
    "a wiki's markup": f"{{code:python}}\n{CODE}\n{{code}}",
    "a wiki's noformat": f"{{noformat}}\n{CODE}\n{{noformat}}",
    "a forum's markup": f"[code=python]\n{CODE}\n[/code]",
    "a forum's markup in capitals": f'[CODE lang="python"]{CODE}[/CODE]',
    "MediaWiki": f'<syntaxhighlight lang="python" line>\n{CODE}\n</syntaxhighlight>',
    "AsciiDoc": f"[source,python]\n----\n{CODE}\n----\n\nDone.",
    "tabs of MkDocs": '=== "Python"\n\n'
    + led("    ", fenced(CODE))
    + '\n\n=== "C"\n\n'
    + led("    ", fenced("int x;", "c")),
    "an admonition of MkDocs": "!!! tip\n" + led("    ", fenced(CODE)),
    "colon fences": f":::python\n{CODE}\n:::",
    "a directive of MyST": f"```{{code-block}} python\n:linenos:\n\n{CODE}\n```",
    "a Quarto cell": f"```{{python}}\n#| echo: false\n{CODE}\n```",
    "an R Markdown cell": f"```{{python clamp, echo=TRUE}}\n{CODE}\n```",
    "slack": f"```{CODE}```",
    "slack with prose": f"here you go ```{CODE}``` cheers",
    # fences
    "title and lines": f'```python title="clamp.py" {{1,3-5}} showLineNumbers\n{CODE}\n```',
    "title first": f'```title="clamp.py" python\n{CODE}\n```',
    "highlighted lines": f'```py hl_lines="2 3" linenums="1"\n{CODE}\n```',
    "lines behind a colon": f"```python:src/clamp.py:1-5\n{CODE}\n```",
    "lines before the path": f"```1:5:src/clamp.py\n{CODE}\n```",
    "an id": f"```python id=\"x1\" name='clamp'\n{CODE}\n```",
    "line numbers switched on": f"```python+line_numbers\n{CODE}\n```",
    "tildes with a class": f'~~~ {{.python .numberLines startFrom="1"}}\n{CODE}\n~~~',
    "tildes around ticks": f"~~~markdown\n{fenced(CODE)}\n~~~",
    "two ticks close": f"```python\n{CODE}\n``",
    "one tick closes": f"```python\n{CODE}\n`",
    "a full stop behind": f"```python\n{CODE}\n```.",
    "a bold fence": f"**```python**\n{CODE}\n**```**",
    "an escaped fence": f"\\`\\`\\`python\n{CODE}\n\\`\\`\\`",
    "acute accents": f"´´´python\n{CODE}\n´´´",
    "typographic ticks": f"‘‘‘python\n{CODE}\n’’’",
    "wide ticks": f"｀｀｀python\n{CODE}\n｀｀｀",
    "a tag of two languages": f"```python/python3\n{CODE}\n```",
    "an opening fence twice": f"```python\n```python\n{CODE}\n```\n```",
    "a fence within the function": f"```python\n{LINES[0]}\n{LINES[1]}\n```\n```python\n"
    + "\n".join(LINES[2:])
    + "\n```",
    "prose between the parts": f"```python\n{LINES[0]}\n{LINES[1]}\n```\nNow go over them:\n```python\n"
    + "\n".join(LINES[2:4])
    + f"\n```\nAt last:\n```python\n{LINES[4]}\n```",
    # lists and what is set in
    "set in below a numbered item": "1. Solution:\n\n" + led("        ") + "\n\n2. Done.",
    "set in below a bullet": "- Solution:\n\n" + led("      ") + "\n- Done.",
    "set in by three": "The function:\n\n" + led("   ") + "\n\nThat is it.",
    "set in, helper first": "Here:\n\n" + led("    ", HELPED) + "\n\nDone.",
    "set in by tabs with trailing blanks": "Here:\n\n" + "\n".join(f"\t{line}  " for line in LINES) + "\n\nDone.",
    "each line a bullet": led("- "),
    "each line in ticks": "\n".join(f"`{line}`" for line in LINES),
    "each line bold": "\n".join(f"**{line}**" for line in LINES),
    # consoles and numbers
    "a console with prose around": f"In the shell:\n\n{console(CODE)}\n>>> clamp_all([1], 2, 3)\n[2]\n\nIt works.",
    "a console with two functions": fenced(console(HELPED) + "\n>>> clamp_all([9], 1, 2)\n[2]", "pycon"),
    "a console that is set in": "So:\n\n" + led("    ", console(CODE)) + "\n",
    "a console in a docstring's manner": fenced(console(f"from typing import List\nLOW = 0\n{CODE}")),
    "a console without a blank": fenced("\n".join([">>>" + LINES[0], *("..." + line for line in LINES[1:])])),
    "a notebook's prompts": "In [1]: " + "\n   ...: ".join(LINES) + "\n\nIn [2]: clamp_all([1], 2, 3)\nOut[2]: [2]",
    "a notebook's prompts in a fence": fenced(
        "In [12]: " + "\n    ...: ".join(LINES) + "\n    ...: \nOut[12]: None", "ipython"
    ),
    "a notebook's numbers before the cell": f"In [1]:\n{CODE}\n\nOut[1]:\nNone",
    "bracket prompts": f"[1]: {CODE}\n[2]: clamp_all([1], 2, 3)",
    "numbers and arrows": numbered("{:6}→"),
    "numbers and a tab": numbered("{}\t"),
    "numbers in brackets": numbered("[{}] "),
    "numbers with L": numbered("L{}: "),
    "numbers with zeros": numbered("{:03} "),
    "numbers with dashes": numbered("{} - "),
    "numbers in comments": "\n".join(f"/* {n} */ {line}" for n, line in enumerate(LINES, 1)),
    "numbers behind": fenced("\n".join(f"{line}  # {n}" for n, line in enumerate(LINES, 1))),
    "numbers from forty": fenced(numbered("{} ", 40)),
    "numbers in ticks": "\n".join(f"{n}. `{line}`" for n, line in enumerate(LINES, 1)),
    # notebooks and JSON
    "a notebook": notebook(("markdown", ["# Clamp\n", "It clamps."]), ("code", [f"{line}\n" for line in LINES])),
    "a notebook of texts": notebook(
        ("code", "from typing import List\n"), ("code", CODE), ("code", "clamp_all([1], 2, 3)")
    ),
    "a notebook with a helper's cell": notebook(
        ("code", HELPED.partition("\n\n\n")[0]), ("code", HELPED.partition("\n\n\n")[2])
    ),
    "a notebook in a fence": fenced(notebook(("code", "%matplotlib inline"), ("code", CODE)), "json"),
    "percent cells": fenced(f"# %% [markdown]\n# Clamp\n# %%\n{CODE}\n# %%\nprint(clamp_all([1], 2, 3))"),
    "fixed and tests in JSON": json.dumps({"tests": "assert clamp_all([1], 2, 3) == [2]\n" * 9, "solution": CODE}),
    "wrong and right in JSON": json.dumps(
        {"first_attempt": WRONG + "  # a longer text, but it is wrong\n", "final_code": CODE}
    ),
    "files in JSON": json.dumps(
        {
            "files": {
                "helper.py": HELPED.partition("\n\n\n")[0],
                "clamp.py": "from helper import inside\n\n" + HELPED.partition("\n\n\n")[2],
            }
        }
    ),
    "files in a list": json.dumps(
        [
            {"path": "helper.py", "content": HELPED.partition("\n\n\n")[0]},
            {"path": "main.py", "content": HELPED.partition("\n\n\n")[2]},
        ]
    ),
    "JSON with a template string": "{\n  code: `" + CODE + "`\n}",
    "JSON with comments": '{\n  // the answer\n  "code": "' + ESCAPED + '"\n}',
    "JSON in single quotes": "{'language': 'python', 'code': '" + ESCAPED + "'}",
    "JSON without a name's quotes": '{code: "' + ESCAPED + '"}',
    "JSON in a tag": '<json>{"code": "' + ESCAPED + '"}</json>',
    "a text field of a message": "ChatCompletionMessage(content='"
    + fenced(CODE).replace("\n", "\\n")
    + "', role='assistant')",
    "a chat answer as JSON": json.dumps({"choices": [{"message": {"role": "assistant", "content": fenced(CODE)}}]}),
    "JSON as text in JSON in a fence": json.dumps({"answer": fenced(json.dumps({"code": CODE}), "json")}),
    "TOML": f"[answer]\ncode = {TQ}\n{CODE}\n{TQ}\n",
    "YAML, quoted": 'language: python\ncode: "' + ESCAPED + '"\n',
    "YAML, a list": "steps:\n  - name: clamp\n    code: |-\n" + led("      ") + "\n",
    "CSV": '"id","code"\n"1","' + CODE + '"\n',
    "escaped line ends behind prose": "Here is the code:\\n\\n```python\\n" + ESCAPED + "\\n```\\n\\nIt clamps.",
    "escaped line ends unfenced": "def clamp_all(values, low, high):\\n\\treturn [min(max(v, low), high) for v in values]",
    "escaped twice": fenced(CODE).replace("\n", "\\\\n"),
    "percent encoded line ends": CODE.replace("\n", "&#10;"),
    # tools
    "execute": f"<execute>\n{CODE}\n</execute>",
    "execute_ipython": f"<execute_ipython>\n{CODE}\nprint(clamp_all([1], 2, 3))\n</execute_ipython>",
    "write_to_file": f"<write_to_file>\n<path>clamp.py</path>\n<content>\n{CODE}\n</content>\n</write_to_file>",
    "write_to_file, numbered": f"<write_to_file>\n<path>clamp.py</path>\n<content>\n{CODE}\n</content>\n<line_count>5</line_count>\n</write_to_file>",
    "create_file, one line": f'<create_file path="clamp.py">{CODE}</create_file>',
    "entities in a tool call": '<invoke name="write"><parameter name="code">'
    + CODE.replace(
        "min(max(value, low), high)", "value if low &lt;= value &lt;= high else (low if value &lt; low else high)"
    )
    + "</parameter></invoke>",
    "kimi": '<|tool_calls_section_begin|><|tool_call_begin|>functions.run:0<|tool_call_argument_begin|>{"code": "'
    + ESCAPED
    + '"}<|tool_call_end|><|tool_calls_section_end|>',
    "deepseek": '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>run\n```json\n{"code": "'
    + ESCAPED
    + '"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "glm": f"<tool_call>run\n<arg_key>code</arg_key>\n<arg_value>{CODE}</arg_value>\n</tool_call>",
    "gpt-oss code": f"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{CODE}<|return|>",
    "a Python call of a tool": f"write_file(path='clamp.py', content={TQ}{CODE}{TQ})",
    "Action and Action Input": f"Thought: I write it.\nAction: python\nAction Input: {CODE}",
    "Action Input in JSON": 'Thought: I write it.\nAction: python\nAction Input: {"code": "' + ESCAPED + '"}',
    "Final Answer": f"Thought: I know it now.\nFinal Answer: {fenced(CODE)}",
    "OpenAI's function call": json.dumps({"name": "submit", "arguments": json.dumps({"code": CODE})}),
    # thoughts and marks
    "an answer within the thought": f"<think>\n<answer>\n{WRONG}\n</answer>\n</think>\n<answer>\n{CODE}\n</answer>",
    "a thought within the answer": f"<answer>\n<think>\n{fenced(WRONG)}\n</think>\n{fenced(CODE)}\n</answer>",
    "an unclosed answer": f"<think>x</think>\n<answer>\n{CODE}",
    "two answers": f"<answer>\n{fenced(WRONG)}\n</answer>\nWait, that is wrong.\n<answer>\n{fenced(CODE)}\n</answer>",
    "a thought in bold": f"**Thinking:** maybe\n{fenced(WRONG)}\n**Answer:**\n{fenced(CODE)}",
    "a thought in a quotation": "> Thinking: maybe\n" + led("> ", fenced(WRONG)) + f"\n\n{fenced(CODE)}",
    "a thought in details": f'<details type="reasoning" done="true">\n<summary>Thought for 3 s</summary>\n{fenced(WRONG)}\n</details>\n{fenced(CODE)}',
    "a start mark": f"<|im_start|>assistant\n{CODE}<|im_end|>",
    "assistant mark": f"<|assistant|>\n{CODE}\n<|endoftext|>",
    "ASSISTANT:": f"ASSISTANT: {CODE}</s>",
    "a mark in a comment": fenced(f"# BEGIN SOLUTION\n{CODE}\n# END SOLUTION"),
    "lines of signs": f"=======\n{CODE}\n=======",
    "scissors": f"----8<----\n{CODE}\n---->8----",
    # signs
    "a zero-width space in the name": fenced(CODE.replace("clamp_all", "clamp\u200b_all")),
    "a soft hyphen": CODE.replace("result", "re\u00adsult"),
    "CRLF and CR": CODE.replace("\n", "\r\n", 2).replace("\n    r", "\r    r"),
    "CR twice": fenced(CODE).replace("\n", "\r\r\n"),
    "wide brackets": fenced(CODE.replace("(", "（").replace(")", "）")),
    "typographic docstring": fenced(LINES[0] + "\n    “““Clamp.”””\n" + BODY),
    "low quotes": fenced(LINES[0] + "\n    name = „x“\n" + BODY),
    "a wide blank": CODE.replace("    ", "\u3000\u3000"),
    "mathematical minus": fenced(CODE + "\n\nLAST = −1"),
    "tabs": fenced(CODE.replace("    ", "\t")),
    "a tab, then blanks of another function": fenced(HELPED.replace("    return min", "\treturn min")),
    # what the prose says of blocks
    "one is chosen by its name": f"### Version A\n{fenced(CODE)}\n### Version B\n{fenced(WRONG)}\nVersion B is quick, but **use Version A**.",
    "one is chosen by its number": f"{fenced(CODE)}\nor\n{fenced(WRONG)}\nI recommend the first one.",
    "called wrong behind it": f"{fenced(CODE)}\n\nOne might think of\n{fenced(WRONG)}\nbut that is incorrect.",
    "not like this": f"{fenced(CODE)}\n\nNot like this:\n{fenced(WRONG)}",
    "never so": f"{fenced(CODE)}\n\nNever write it as:\n{fenced(WRONG)}",
    "a pitfall": f"{fenced(CODE)}\n\n### Pitfall\n{fenced(WRONG)}",
    "another package, too": f"{fenced(CODE)}\n\nWith a package you could also write:\n"
    + fenced("import no_such_package as p\n\ndef clamp_all(values, low, high):\n    return p.clip(values, low, high)"),
    # more carriers
    "a line an object": "\n".join(json.dumps({"line": line}) for line in LINES),
    "a stream": "\n".join("data: " + json.dumps({"delta": {"content": f"{line}\n"}}) for line in LINES),
    "a signature and a body in JSON": json.dumps({"signature": LINES[0], "body": BODY}),
    "Java and Python in JSON": json.dumps({"java": "class Solution { }", "python": CODE}),
    "two calls of a tool": f"<tool_call>\n{json.dumps({'arguments': {'code': WRONG}})}\n</tool_call>\nfailed\n<tool_call>\n{json.dumps({'arguments': {'code': CODE}})}\n</tool_call>",
    "Markdown's escapes": CODE.replace("[", "\\[").replace("]", "\\]").replace("_", "\\_"),
    "bars before": led("| "),
    "a box": "┌────┐\n" + "\n".join(f"│ {line:<60} │" for line in LINES) + "\n└────┘",
    "a box of plain signs": "+----+\n" + "\n".join(f"| {line:<60} |" for line in LINES) + "\n+----+",
    # settings of packages that are not here
    "a setting of a missing package": fenced(f"import no_such_package as p\np.random.seed(0)\n\n{CODE}"),
}
VOWELS = "def count_vowels(text):\n    return sum(letter in 'aeiou' for letter in text)"
ALONE = {
    "a notebook": notebook(("code", VOWELS)),
    "a console": console(VOWELS) + "\n>>> count_vowels('hello')\n2",
    "a stub file first": f"{fenced('def count_vowels(text: str) -> int: ...')}\n{fenced(VOWELS)}",
    "a Protocol before": fenced(
        f"from typing import Protocol\n\nclass Counter(Protocol):\n    def count_vowels(self, text: str) -> int: ...\n\n{VOWELS}"
    ),
    "an abstract class before": fenced(
        "from abc import ABC, abstractmethod\n\nclass Base(ABC):\n    @abstractmethod\n    def count_vowels(self, text): ...\n\nclass Solution(Base):\n    def count_vowels(self, text):\n        return sum(letter in 'aeiou' for letter in text)"
    ),
    "a method that calls another": fenced(
        "class Solution:\n    VOWELS = 'aeiou'\n\n    def count_vowels(self, text):\n        return sum(map(self.is_vowel, text))\n\n    def is_vowel(self, letter):\n        return letter in self.VOWELS"
    ),
    "a method beside others with the name": fenced(
        "class Helper:\n    def count_vowels(self, text):\n        return 0\n\nclass Solution:\n    def count_vowels(self, text):\n        return sum(letter in 'aeiou' for letter in text)"
    ),
    "a method kept in a cache": fenced(
        "from functools import cache\n\nclass Solution:\n    @cache\n    def count_vowels(self, text):\n        return sum(letter in 'aeiou' for letter in text)"
    ),
    "a chain of partials": fenced(
        "from functools import partial\n\ndef count(letters, text):\n    return sum(letter in letters for letter in text)\n\ncount_vowels = partial(count, 'aeiou')"
    ),
    "a lambda over lines": fenced("count_vowels = lambda text: (\n    sum(letter in 'aeiou' for letter in text)\n)"),
    "a decorator with arguments": fenced(
        "def named(name):\n    def wrap(function):\n        function.__name__ = name\n        return function\n    return wrap\n\n@named('x')\n"
        + VOWELS
    ),
    "an async helper": fenced(
        "import asyncio\n\nasync def count(text):\n    return sum(letter in 'aeiou' for letter in text)\n\ndef count_vowels(text):\n    return asyncio.run(count(text))\n\nasyncio.run(count('x'))"
    ),
    "a closure's result": fenced(
        "def make(letters):\n    def count(text):\n        return sum(letter in letters for letter in text)\n    return count\n\ncount_vowels = make('aeiou')"
    ),
    "a script that asks": f"text = input('Text? ')\n\n{VOWELS}\n\nprint(count_vowels(text))",
    "a script that asks in a loop": fenced(
        f"{VOWELS}\n\nfor _ in range(int(input())):\n    print(count_vowels(input()))"
    ),
    "tests by unittest": fenced(
        f"{VOWELS}\n\nimport unittest\n\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(count_vowels('a'), 2)\n\nif __name__ == '__main__':\n    unittest.main()"
    ),
    "the recommended one first": f"**Option 1**\n{fenced(VOWELS)}\n**Option 2** does not work for 'u', so don't use it:\n{fenced(VOWELS.replace('aeiou', 'aeio'))}",
    "corrected in the text": f"{fenced(VOWELS.replace('aeiou', 'aei'))}\nWait, 'o' and 'u' are missing. Here is the corrected version:\n{fenced(VOWELS)}\nNow it counts all.",
    "corrected, unfenced": f"{VOWELS.replace('aeiou', 'aei')}\n\nOops, 'o' and 'u' are missing. Corrected:\n\n{VOWELS}",
    "corrected, then the tests": f"{fenced(VOWELS.replace('aeiou', 'aei'))}\nSorry! Corrected:\n{fenced(VOWELS)}\nTests:\n{fenced('assert count_vowels(chr(97)) == 1')}",
    "JavaScript without a tag first": f"In JavaScript:\n```\nfunction count_vowels(text) {{ return 0; }}\n```\nIn Python:\n```\n{VOWELS}\n```",
    "another language behind, no tag": f"```\n{VOWELS}\n```\nIn Ruby:\n```\ndef count_vowels(text)\n  text.count('aeiou')\nend\n```",
    "a deleted helper": fenced(
        "LETTERS = 'aeiou'\n\ndef count_vowels(text, letters=LETTERS):\n    return sum(letter in letters for letter in text)\n\ndel LETTERS"
    ),
    "a type statement": fenced(f"Text = str\n\n{VOWELS.replace('(text)', '(text: Text) -> int')}"),
    "a name in the doctest": fenced(
        f'def count_vowels(text):\n    r{TQ}\n    >>> count_vowels("hello")\n    2\n    {TQ}\n    return sum(letter in "aeiou" for letter in text)\n\nif __name__ == "__main__":\n    import doctest; doctest.testmod()'
    ),
}
