"""Answers in forms that models of 2024 to 2026 and their templates give; `reading_table` has the plain ones.

`PYTHON` answers the fixture `adding`, `ALONE` a problem without a declaration.
"""

import json

from tests.eval.answers.reading_table import ADD, HALF, PROMPT, PY, TQ, WRONG, fenced

CALLED = ADD.replace("+", "*")
TAGS = [
    "plaintext",
    "python:add.py",
    "add.py",
    "py3",
    "Python 3",
    "ipython",
    "python-repl",
    "tool_code",
    "language-python",
    "lang-py",
    "code",
    "python_code",
    "python {cmd=true}",
    "Python Code",
    "python\u200b",
    "python,editable",
    "python#add",
    "[python]",
    "sage",
    "cython",
    "starlark",
    "pyhton",
    "markdown",
    "text/x-python",
    "vyper",
    "none",
    "output",
]
MARKS = [
    "<eos>",
    "<end_of_turn>",
    "<|end|>",
    "<|endofcode|>",
    "<|END_OF_TURN_TOKEN|>",
    "<file_sep>",
    "<fim_middle>",
    "<|fim_middle|>",
    "<｜fim▁end｜>",
    "<EOT>",
    "<|EOT|>",
    "<issue_start>",
    "<empty_output>",
    "<|file_separator|>",
    "<jupyter_output>",
    "[EOS]",
    "[end of text]",
    "<|endofblock|>",
    "<extra_id_0>",
    "<EOD>",
    "<|eot|>",
    "<turn|>",
    "<|return|>",
    "▁<EOT>",
    "<|user|>",
    "[/CODE]",
    "[END]",
    "<END>",
    "<|tool_call_end|>",
    "<STOP>",
    "</assistant>",
    "<end_of_utterance>",
    "<|reserved_special_token_0|>",
    "<eot_id>",
    "<unk>",
    "<|im_sep|>",
    "<eod_id>",
    "[EOT]",
    "<end>",
    "</python>",
    "###",
    "#END",
    "<0x0A>",
    "[|endofturn|]",
    "<|endofturn|>",
    "<|eot_id|",
]
THOUGHTS = [
    "plan",
    "draft",
    "brainstorm",
    "critique",
    "self_reflection",
    "longcat_think",
    "think_fast",
    "mm:think",
    "thinking_process",
    "scratch_pad",
    "step_by_step",
    "Thinking",
    "THOUGHT",
    "deep_think",
    "redacted_thinking",
    "thought_process",
]

PYTHON = {
    **{f"tag {tag}": fenced(ADD, tag) for tag in TAGS},
    **{f"{mark} behind": f"{ADD}{mark}" for mark in MARKS},
    **{f"{mark} in a fence": f"{PY}{ADD}{mark}" for mark in MARKS},
    **{f"<{word}> before": f"<{word}>\n{fenced(CALLED)}\n</{word}>\nreturn a + b" for word in THOUGHTS},
    **{f"<{word}> behind": f"{fenced(ADD)}\n<{word}>\n{fenced(WRONG)}\n</{word}>" for word in THOUGHTS},
    "details": f"<details>\n<summary>Solution</summary>\n\n{fenced(ADD)}\n\n</details>",
    "markdown block around": f"```markdown\n# Solution\n\n{fenced(ADD)}\n\nIt adds.\n```",
    "md block 4 ticks": f"````markdown\nHere:\n{fenced(ADD)}\n````",
    "tool_code and draft in json": f"```tool_code\n{ADD}\n```\n```tool_outputs\n3\n```",
    "python_tag": f"<|python_tag|>{ADD}<|eom_id|>",
    "llama header": f"<|start_header_id|>assistant<|end_header_id|>\n\n{fenced(ADD)}<|eot_id|>",
    "llama header unfenced": f"<|start_header_id|>assistant<|end_header_id|>\n\n{ADD}<|eot_id|>",
    "assistant word": f"assistant\n\n{ADD}",
    "assistantfinal": f"analysisWe need to add.assistantfinal{ADD}",
    "assistantfinal fenced": f"analysisWe could do {fenced(WRONG)} but no.assistantfinal{fenced(ADD)}",
    "INST": f"[INST] Add. [/INST] {fenced(ADD)}",
    "INST unfenced": f"[/INST] {ADD}</s>",
    "TOOL_CALLS": '[TOOL_CALLS] [{"name": "python", "arguments": {"code": ' + json.dumps(ADD) + "}}]",
    "tool_call qwen": '<tool_call>\n{"name": "code_interpreter", "arguments": {"code": '
    + json.dumps(ADD)
    + "}}\n</tool_call>",
    "tool_call args string": '<tool_call>\n{"name": "code_interpreter", "arguments": '
    + json.dumps(json.dumps({"code": ADD}))
    + "}\n</tool_call>",
    "qwen3coder xml": f"<tool_call>\n<function=write_file>\n<parameter=path>\nadd.py\n</parameter>\n<parameter=content>\n{ADD}\n</parameter>\n</function>\n</tool_call>",
    "claude invoke": f'<function_calls>\n<invoke name="create_file">\n<parameter name="path">add.py</parameter>\n<parameter name="content">{ADD}</parameter>\n</invoke>\n</function_calls>',
    "antArtifact": f'Here:\n\n<antArtifact identifier="add" type="application/vnd.ant.code" language="python" title="Add">\n{ADD}\n</antArtifact>\n\nIt adds.',
    "antArtifact on line": f'<antArtifact identifier="add" type="application/vnd.ant.code" language="python" title="Add">{ADD}</antArtifact>',
    "antThinking": f"<antThinking>{WRONG}</antThinking>\n{fenced(ADD)}",
    "boltAction": f'<boltAction type="file" filePath="add.py">{ADD}</boltAction>',
    "file tag": f'<file path="add.py">\n{ADD}\n</file>',
    "cdata": f"<code><![CDATA[{ADD}]]></code>",
    "cdata lines": f"<solution>\n<![CDATA[\n{ADD}\n]]>\n</solution>",
    "yaml": "code: |\n  def add(a, b):\n      return a + b\n",
    "yaml fenced": fenced("explanation: It adds.\ncode: |\n  def add(a, b):\n      return a + b", "yaml"),
    "br": "def add(a, b):<br>    return a + b",
    "br nbsp": "def add(a, b):<br>&nbsp;&nbsp;&nbsp;&nbsp;return a + b",
    "nbsp entities": fenced("def add(a, b):\n&nbsp;&nbsp;&nbsp;&nbsp;return a + b"),
    "pre code entities": "<pre><code>def add(a, b):\n    return a + b if a &lt; b else b + a\n</code></pre>",
    "pre span": '<pre><span class="k">def</span> <span class="nf">add</span>(a, b):\n    <span class="k">return</span> a + b</pre>',
    "verbatim": f"\\begin{{verbatim}}\n{ADD}\n\\end{{verbatim}}",
    "lstlisting": f"\\begin{{lstlisting}}[language=Python]\n{ADD}\n\\end{{lstlisting}}",
    "minted": f"\\begin{{minted}}{{python}}\n{ADD}\n\\end{{minted}}",
    "boxed": f"The final answer is $\\boxed{{\n{fenced(ADD)}\n}}$",
    "boxed unfenced": f"$\\boxed{{{ADD}}}$",
    "single backtick lines": f"`{ADD}`",
    "single backtick prose": f"Use `{ADD}` please.",
    "two ticks": f"``python\n{ADD}\n``",
    "two ticks2": f"``\n{ADD}\n``",
    "md indented code": "Here's the function:\n\n    def add(a, b):\n        return a + b\n\nEnjoy.",
    "md indented code two": "Here's the function:\n\n    def plus(a, b):\n        return a + b\n\n    def add(a, b):\n        return plus(a, b)\n\nEnjoy.",
    "md indented by tab": "Here's the function:\n\n\tdef add(a, b):\n\t\treturn a + b\n\nEnjoy.",
    "rst code block": "Solution\n========\n\n.. code-block:: python\n\n    def add(a, b):\n        return a + b\n\nDone.",
    "org": f"#+BEGIN_SRC python\n{ADD}\n#+END_SRC",
    "ansi": "\x1b[34mdef\x1b[0m add(a, b):\n    \x1b[34mreturn\x1b[0m a + b",
    "bidi": fenced(f"\u200e{ADD}\u202c"),
    "nul": fenced(f"{ADD}\x00"),
    "pip magic": fenced(f"!pip install numpy\n%matplotlib inline\n\n{ADD}"),
    "cell magic": fenced(f"%%time\n{ADD}"),
    "py2 print behind": fenced(f"{ADD}\n\nprint add(1, 2)"),
    "dots placeholder": fenced(f"...\n\n{ADD}\n\n..."),
    "two files": f"**utils.py**\n{fenced('def plus(a, b):' + chr(10) + '    return a + b')}\n**main.py**\n{fenced('from utils import plus' + chr(10) * 2 + 'def add(a, b):' + chr(10) + '    return plus(a, b)')}",
    "two files import mod": f"`utils.py`:\n{fenced('def plus(a, b):' + chr(10) + '    return a + b')}\n`main.py`:\n{fenced('from .utils import plus' + chr(10) * 2 + 'def add(a, b):' + chr(10) + '    return plus(a, b)')}",
    "file and tests": f"**solution.py**\n{fenced(ADD)}\n**test_solution.py**\n{fenced('import unittest' + chr(10) + 'from solution import add' + chr(10) * 2 + 'class T(unittest.TestCase):' + chr(10) + '    def test(self):' + chr(10) + '        self.assertEqual(add(1, 2), 3)')}",
    "file needs helper and tests import": f"{fenced('def plus(a, b):' + chr(10) + '    return a + b')}\n{fenced('def add(a, b):' + chr(10) + '    return plus(a, b)')}\n{fenced('from solution import add, plus' + chr(10) + 'assert add(1, 2) == 3')}",
    "body and helper behind": fenced("    return plus(a, b)\n\n\ndef plus(a, b):\n    return a + b"),
    "body unindented and helper": fenced("total = plus(a, b)\n    return total\n\n\ndef plus(a, b):\n    return a + b"),
    "body with docstring": fenced(f"    {TQ}Add them.{TQ}\n    return a + b"),
    "body with a comment first": fenced("# Add\n    return a + b"),
    "body with comment at margin": fenced("# Add the numbers\nreturn a + b"),
    "body with nested def": fenced("    def plus(x):\n        return x + b\n    return plus(a)"),
    "body nested def unindented": fenced("def plus(x):\n    return x + b\nreturn plus(a)"),
    "body nested def unfenced": "    def plus(x):\n        return x + b\n    return plus(a)",
    "body nested def first line lost": fenced("def plus(x):\n        return x + b\n    return plus(a)"),
    "body closing fence prose": "    return a + b\n```\n\nThis adds.",
    "body then main guard": fenced("    return a + b\n\nif __name__ == '__main__':\n    print(add(1, 2))"),
    "body then test": fenced("return a + b\n\nprint(add(1, 2))"),
    "body import first": fenced("    import operator\n    return operator.add(a, b)"),
    "import at margin, body set in": fenced("import operator\n    return operator.add(a, b)"),
    "body and full": f"Body:\n{fenced('    return a + b')}\nFull:\n{fenced(ADD)}",
    "rest of the signature": "add(a, b):\n    return a + b",
    "args only": "(a, b):\n    return a + b",
    "other params": fenced("def add(x, y, /):\n    return x + y"),
    "one line def": fenced("def add(a, b): return a + b"),
    "one line def unfenced": "def add(a, b): return a + b",
    "one line prose": "The answer is `def add(a, b): return a + b`.",
    "inline body": "Just write `return a + b`.",
    "semicolons": fenced("def add(a, b):\n    return a + b;"),
    "next instr": f"{fenced(ADD)}\n\n### Instruction:\nNow subtract.\n\n### Response:\n{fenced(WRONG)}",
    "next instr unfenced": f"{ADD}\n\n### Instruction:\nNow subtract.\n\n### Response:\n{WRONG}",
    "next turn with code": f"{fenced(ADD)}<|im_end|>\n<|im_start|>user\nNow a wrong one<|im_end|>\n<|im_start|>assistant\n{fenced(WRONG)}",
    "next turn human": f"{fenced(ADD)}\n\nHuman: Now subtract in it.\n\nAssistant: {fenced(WRONG)}",
    "next turn user llama": f"{fenced(ADD)}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHm<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{fenced(WRONG)}",
    "next turn gemma": f"{fenced(ADD)}<end_of_turn>\n<start_of_turn>user\nHm<end_of_turn>\n<start_of_turn>model\n{fenced(WRONG)}",
    "next turn mistral": f"{fenced(ADD)}</s> [INST] Hm [/INST] {fenced(WRONG)}</s>",
    "thinking process": f"Thinking Process:\n\n1. Maybe {fenced(WRONG)}\n\nFinal:\n{fenced(ADD)}",
    "gemma4": f"<|channel>thought\nMaybe\n{fenced(WRONG)}\n<channel|>{ADD}<turn|>",
    "gemma4 wrong later": f"<|channel>thought\nMaybe\n{fenced(ADD.replace('a + b', 'a - b'))}\n<channel|>\nreturn a + b",
    "unused94": f"<unused94>thought\n{fenced(WRONG)}\n<unused95>{fenced(ADD)}",
    "pangu": f"[unused16]{fenced(WRONG)}[unused17]{fenced(ADD)}",
    "variant behind": f"{fenced(ADD)}\n\nIf you want to subtract instead:\n{fenced(WRONG)}",
    "alternative wrong behaviour": f"{fenced(ADD)}\n\nNote that the following would **not** work:\n{fenced(WRONG)}",
    "bad good": f"❌ Bad:\n{fenced(WRONG)}\n✅ Good:\n{fenced(ADD)}",
    "good bad": f"✅ Good:\n{fenced(ADD)}\n\n❌ Bad:\n{fenced(WRONG)}",
    "before after": f"**Before:**\n{fenced(WRONG)}\n**After:**\n{fenced(ADD)}",
    "after before": f"**After (fixed):**\n{fenced(ADD)}\n\n**Before (given):**\n{fenced(WRONG)}",
    "wrong comment in block": f"{fenced(ADD)}\n\n{fenced('# WRONG: do not do this' + chr(10) + WRONG)}",
    "buggy comment in block": f"{fenced('# Original (buggy) code' + chr(10) + WRONG)}\n\n{fenced('# Fixed code' + chr(10) + ADD)}",
    "buggy behind by comment": f"{fenced('# Fixed' + chr(10) + ADD)}\n\n{fenced('# Buggy version' + chr(10) + WRONG)}",
    "heading wrong behind": f"## Solution\n{fenced(ADD)}\n\n## Common Mistake\n\n{fenced(WRONG)}\n\n## Complexity\nO(1)",
    "class Solution camel": fenced(
        "class Solution:\n    def __init__(self):\n        self.zero = 0\n\n    def add(self, a, b):\n        return a + b + self.zero"
    ),
    "Solution and assignment": fenced(
        "class Solution:\n    def add(self, a, b):\n        return a + b\n\nadd = Solution().add"
    ),
    "classmethod": fenced("class Calculator:\n    @classmethod\n    def add(cls, a, b):\n        return a + b"),
    "solution with init args": fenced(
        "class Calculator:\n    def __init__(self, start=0):\n        self.start = start\n\n    def add(self, a, b):\n        return a + b + self.start\n\nc = Calculator()\nprint(c.add(1, 2))"
    ),
    "dataclass method": fenced(
        "from dataclasses import dataclass\n\n@dataclass\nclass S:\n    zero: int = 0\n    def add(self, a, b):\n        return a + b + self.zero"
    ),
    "json in prose": 'Here is the JSON you wanted: {"code": ' + json.dumps(ADD) + ', "ok": true}. Bye.',
    "json lines": '{"step": "think", "text": "def"}\n{"step": "answer", "code": ' + json.dumps(ADD) + "}",
    "json with braces in prose": 'I use {braces}.\n{"code": ' + json.dumps(ADD) + "}",
    "json list of lines": json.dumps({"code": ADD.split("\n")}),
    "json notebook": json.dumps(
        {"cells": [{"cell_type": "code", "source": [line + "\n" for line in ADD.split("\n")]}]}
    ),
    "python dict repr": repr({"code": ADD}),
    "python dict repr triple": f"{{'code': {TQ}{ADD}{TQ}}}",
    "json trailing comma": '{"code": ' + json.dumps(ADD) + ",}",
    "json cut off": '{"explanation": "x", "code": ' + json.dumps(ADD)[:-1],
    "json triple": f'{{"code": {TQ}\n{ADD}\n{TQ}}}',
    "json fence cut": '```json\n{"code": ' + json.dumps(ADD),
    "heredoc": fenced(f"cat > add.py << 'EOF'\n{ADD}\nEOF\npython add.py", "bash"),
    "heredoc2": fenced(f"cat <<EOF > add.py\n{ADD}\nEOF", "sh"),
    "code as string var": fenced(f"code = '''\n{ADD}\n'''\nexec(code)"),
    "print of code": fenced(f"solution = {TQ}\n{ADD}\n{TQ}\nprint(solution)"),
    "apply patch": "*** Begin Patch\n*** Update File: add.py\n@@\n-def add(a, b):\n-    pass\n+def add(a, b):\n+    return a + b\n*** End Patch",
    "add file patch": "*** Begin Patch\n*** Add File: add.py\n+def add(a, b):\n+    return a + b\n*** End Patch",
    "unfenced patch": "--- a/add.py\n+++ b/add.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    pass\n+    return a + b\n",
    "search replace": "add.py\n```python\n<<<<<<< SEARCH\ndef add(a, b):\n    pass\n=======\ndef add(a, b):\n    return a + b\n>>>>>>> REPLACE\n```",
    "only last line misses paren prose": f"{ADD}\n\nprint(add(1, 2)\n",
    "numbered steps with code pieces": f"1. Define the function:\n{fenced('def add(a, b):')}\n2. Add:\n{fenced('    total = a + b')}\n3. Return:\n{fenced('    return total')}",
    "pieces then full": f"1. Define the function:\n{fenced('def add(a, b):')}\n2. Add:\n{fenced('    total = a - b')}\n3. Return:\n{fenced('    return total')}\nAll together:\n{fenced(ADD)}",
    "full then pieces": f"{fenced(ADD)}\n\n### How\n1. We define:\n{fenced('def add(a, b):')}\n2. We return the sum:\n{fenced('    return a + b')}",
    "full then pieces with pass": f"{fenced(ADD)}\n\n1. The signature:\n{fenced('def add(a, b):' + chr(10) + '    # body here')}",
    "full then trace": f"{fenced(ADD)}\n\nLet's trace:\n```\nadd(1, 2)\n  a = 1\n  b = 2\n  return 3\n```",
    "skeleton first with todo": f"{fenced('def add(a, b):' + chr(10) + '    # TODO: add' + chr(10) + '    return None')}\nFilled in:\n{fenced(ADD)}",
    "skeleton behind returns none": f"{fenced(ADD)}\n\nThe template for others is:\n{fenced('def add(a, b):' + chr(10) + '    # your code here' + chr(10) + '    return')}",
    "type stub behind": f"{fenced(ADD)}\nIts signature:\n{fenced('def add(a: int, b: int) -> int: ...')}",
    "overloads": fenced(
        "from typing import overload\n\n@overload\ndef add(a: int, b: int) -> int: ...\n@overload\ndef add(a: str, b: str) -> str: ...\ndef add(a, b):\n    return a + b"
    ),
    "walrus etc": fenced(
        "def add(a, b):\n    if (c := a + b) is not None:\n        return c\n    match a:\n        case _:\n            return c"
    ),
    "docstring raw with fence": fenced(
        f"def add(a, b):\n    r{TQ}Add.\n\n    Example::\n\n        ```\n        >>> add(1, 2)\n        3\n        ```\n    {TQ}\n    return a + b"
    ),
    "f-string braces": fenced("def add(a, b):\n    s = f'```{a}'\n    return a + b"),
    "latex prose": f"We want $a + b$.\n\n\\[ s = a + b \\]\n\n{ADD}\n\nHence $O(1)$.",
    "emoji heading": f"🚀 **Solution**\n{ADD}\n✨ Done!",
    "checkbox": f"- [x] add\n- [ ] subtract\n\n{ADD}",
    "footnote": f"{ADD}\n\n[1]: https://docs.python.org\n[^1]: note",
    "ellipsis line": f"...\n{ADD}\n...",
    "setext": f"Solution\n--------\n{ADD}\n\nNotes\n-----\nnone",
    "dollar prompt": f"$ cat add.py\n{ADD}\n$ python add.py",
    "ipython out": "In [1]: def add(a, b):\n   ...:     return a + b\n   ...:\n\nIn [2]: add(1, 2)\nOut[2]: 3",
    "email": f"Subject: code\n\nHi,\n\n{ADD}\n\nBest,\nBot",
    "quoted question and code mixed": f"> Add.\n> def add(a, b):\n\n{ADD}",
    "prompt then body w/o fence": f"{PROMPT}    return a + b",
    "prompt cont in separate block": f"{fenced(PROMPT.rstrip())}\n{fenced('    return a + b')}",
    "def in html comment": f"<!-- def add(a, b): -->\n{fenced(ADD)}",
    "crlf fence unclosed": f"```python\r\n{ADD}\r\n",
    "fence at end of line w/ space": f"```python \n{ADD}\n``` \n",
    "nested list fence 2": "* Solution:\n\n    ```python\n    def add(a, b):\n        return a + b\n    ```\n\n* Done",
    "triple quote fence json": f'{{"lang": "python"}}\n"""\n{ADD}\n"""',
    "global counter": fenced("count = 0\ndef add(a, b):\n    global count\n    count += 1\n    return a + b"),
    "try wrap": fenced("try:\n    def add(a, b):\n        return a + b\nexcept Exception:\n    pass"),
    "del behind": fenced(f"{ADD}\n\ntest = add(1, 2)\ndel test"),
    "rename behind": fenced("def add_numbers(a, b):\n    return a + b\n\nadd = add_numbers\nprint(add(1,2))"),
    "assert msg": fenced(f"{ADD}\n\nassert add(1, 2) == 4, 'oops'"),
    "doctest run": fenced(f"{ADD}\n\nimport doctest\ndoctest.testmod()"),
    "argparse": fenced(
        f"import argparse\n{ADD}\n\nparser = argparse.ArgumentParser()\nparser.add_argument('x')\nargs = parser.parse_args()\nprint(add(args.x, 1))"
    ),
    "while loop demo": fenced(
        f"{ADD}\n\nwhile True:\n    x = input('x')\n    if x == 'q':\n        break\n    print(add(int(x), 1))"
    ),
    "with demo": fenced(f"{ADD}\n\nwith open('no.txt') as f:\n    print(add(f.read(), ''))"),
    "numpy demo missing": fenced(f"import numpyx as np\n{ADD}\n\nx = np.array([1])"),
    "typing import order": fenced("def add(a: 'List[int]', b) -> 'Optional[int]':\n    return a + b"),
}

ALONE = {
    "done lower": f"{HALF}\n[done]",
    "code done": f"[CODE]\n{HALF}\n[/CODE]",
    "python tags lower": f"[python]\n{HALF}\n[/python]",
    "### Code": f"### Code\n{HALF}\n### Tests\nassert half(4) == 2",
    "tests fail behind fenced": f"{fenced(HALF)}\n\n{fenced('def test_half():' + chr(10) + '    assert half(4) == 2' + chr(10) + chr(10) + 'test_half()')}",
    "asserts and prints": fenced(HALF + "\n\nassert half(4) == 2\nprint('All tests passed!')"),
    "check function": fenced(HALF + "\n\ndef check(candidate):\n    assert candidate(4) == 3\n\ncheck(half)"),
    "next task base": f"{HALF}\n[DONE]\n\nYou are an expert Python programmer, and here is your task: Double.\n[BEGIN]\ndef half(n):\n    return n * 2\n[DONE]",
    "Q next": f"{HALF}\n\nQ: Write a function to double.\nA:\ndef half(n):\n    return 2 * n",
    "name camel wrapper": fenced("def Half(n):\n    return n / 2\n\ndef half(n):\n    return Half(n)"),
    "module doc": fenced('"""Halve."""\n\n' + HALF),
    "shebang": fenced("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n" + HALF),
    "__all__": fenced('__all__ = ["half"]\n' + HALF),
    "logging": fenced(
        'import logging\nlogging.basicConfig(level=logging.INFO)\nlogger = logging.getLogger(__name__)\n\ndef half(n):\n    logger.debug("x")\n    return n / 2'
    ),
    "TypeVar": fenced('from typing import TypeVar\nT = TypeVar("T")\n\ndef half(n: T) -> T:\n    return n / 2'),
    "assert first": fenced("assert True\n" + HALF),
    "answer with question repeated fenced": f"```\nHalve.\nassert half(4) == 2\n```\n{fenced(HALF)}",
    "only lambda inline": "`half = lambda n: n / 2`",
    "in words": "You can do it with a one-liner:\n\n    half = lambda n: n / 2\n\nThat's it.",
    "global needed by exec order": fenced("def half(n):\n    return n / TWO\n\nTWO = 2"),
    "nested class const": fenced("class C:\n    TWO = 2\n\ndef half(n):\n    return n / C.TWO"),
    "recursion alias": fenced("def _half(n):\n    return n / 2\nhalf = half_of = _half"),
    "tuple assign": fenced("half, double = (lambda n: n / 2), (lambda n: n * 2)"),
    "exec made": fenced("exec('def half(n):\\n    return n / 2')"),
    "for made": fenced("for name in ['half']:\n    globals()[name] = lambda n: n / 2"),
    "if TYPE_CHECKING": fenced(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nowhere import X\n\ndef half(n: 'X') -> 'X':\n    return n / 2"
    ),
    "pytest": fenced(
        "import pytest\n\n"
        + HALF
        + "\n\n@pytest.mark.parametrize('n, r', [(4, 2)])\ndef test_half(n, r):\n    assert half(n) == r"
    ),
    "register decorator": fenced(
        "REGISTRY = {}\ndef register(f):\n    REGISTRY[f.__name__] = f\n    return f\n\n@register\ndef half(n):\n    return n / 2\n\nprint(REGISTRY)"
    ),
    "registry used": fenced(
        "REGISTRY = {}\ndef register(f):\n    REGISTRY[f.__name__] = f\n    return f\n\n@register\ndef divide(n):\n    return n / 2\n\ndef half(n):\n    return REGISTRY['divide'](n)"
    ),
    "singledispatch": fenced(
        "from functools import singledispatch\n@singledispatch\ndef half(n):\n    raise TypeError\n\n@half.register\ndef _(n: int):\n    return n / 2"
    ),
    "property class": fenced(
        "class N:\n    def __init__(self, n):\n        self.n = n\n    @property\n    def half(self):\n        return self.n / 2\n\ndef half(n):\n    return N(n).half"
    ),
    "sorted set alias": fenced(
        "import math as m\nfrom math import floor as fl\ndef half(n):\n    return n / (fl(2.5) + 0 * m.pi)"
    ),
    "nonlocal mem": fenced(
        "memo = {}\n\ndef half(n):\n    if n in memo:\n        return memo[n]\n    memo[n] = n / 2\n    return memo[n]\n\nmemo[5] = 2.5\nfor i in range(3):\n    print(half(i))"
    ),
    "memo appended": fenced("primes = []\nprimes.append(2)\n\ndef half(n):\n    return n / primes[0]"),
    "table by function call": fenced(
        "table = {}\ndef build():\n    table['two'] = 2\nbuild()\n\ndef half(n):\n    return n / table['two']"
    ),
    "table by function call 2": fenced(
        "N = 5\nsieve = [True] * N\ndef fill(s):\n    s[0] = 2\nfill(sieve)\n\ndef half(n):\n    return n / sieve[0]"
    ),
    "with lock": fenced(
        "import threading\nlock = threading.Lock()\nwith lock:\n    TWO = 2\n\ndef half(n):\n    with lock:\n        return n / TWO"
    ),
    "class attr set later": fenced("class C: pass\nC.two = 2\ndef half(n):\n    return n / C.two"),
    "monkey": fenced("def half(n):\n    return half.two and n / half.two\nhalf.two = 2\nprint(half(3))"),
    "heap global": fenced("import heapq\nq = [3, 2]\nheapq.heapify(q)\ndef half(n):\n    return n / q[0]"),
    "random seed": fenced(
        "import random\nrandom.seed(0)\nX = [2, 3]\nrandom.shuffle(X)\nX.sort()\ndef half(n):\n    return n / X[0]"
    ),
    "decimal context": fenced(
        "import decimal\ndecimal.getcontext().prec = 50\nfrom decimal import Decimal\ndef half(n):\n    return float(Decimal(n) / 2) if decimal.getcontext().prec == 50 else None"
    ),
    "locale/env": fenced("import os\nos.environ['TWO'] = '2'\ndef half(n):\n    return n / int(os.environ['TWO'])"),
    "sys.path": fenced("import sys\nsys.path.append('.')\n" + HALF),
    "warnings": fenced("import warnings\nwarnings.filterwarnings('ignore')\n" + HALF),
    "starred": fenced("two, *rest = 2, 3, 4\ndef half(n):\n    return n / two"),
    "walrus global": fenced("if (two := 2) > 1:\n    pass\ndef half(n):\n    return n / two"),
    "global in func called": fenced(
        "def init():\n    global TWO\n    TWO = 2\ninit()\ndef half(n):\n    return n / TWO"
    ),
    "try import": fenced(
        "try:\n    from numpyy import x\nexcept ImportError:\n    x = 2\ndef half(n):\n    return n / x"
    ),
    "type alias": fenced(
        "from typing import Union\nNum = Union[int, float]\ndef half(n: Num) -> Num:\n    return n / 2"
    ),
    "assert isinstance in body": fenced("def half(n):\n    assert isinstance(n, (int, float)), 'x'\n    return n / 2"),
    "answer says cannot then gives": f"I can't run code, but here it is:\n{fenced(HALF)}\nI cannot verify.",
}
