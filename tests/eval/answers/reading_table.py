"""Answers as chat models give them, each of which holds a right `add` or a right `half` in plain sight.

`PYTHON` answers the fixture `adding`, which has a declaration; `ALONE` answers a problem that has none, as in MBPP;
`WRAPPED` is put around the same function in every language with braces.
"""

ADD = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return a - b"
PROMPT = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef add(a, b):\n    """Add, as in add(1, 2)."""\n'
PY = "```python\n"
TQ = '"""'


def fenced(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}\n```"


PYTHON = {
    # fences
    "fenced": fenced(ADD),
    "fenced without a language": fenced(ADD, ""),
    "prose around": f"Here is the function:\n\n{fenced(ADD)}\n\nIt adds.",
    "a fence in a string": fenced("MARK = '```'\n\ndef add(a, b):\n    return a + b if MARK else 0"),
    "a fence in a string of the text": f'I close with "```" at the end.\n{fenced(ADD)}',
    "cut off": f"Sure!\n{PY}{ADD}",
    "closing fence on the last line of code": f"{PY}{ADD}```",
    "windows line ends": f"{PY}{ADD}\n```".replace("\n", "\r\n"),
    "old line ends": f"{PY}{ADD}\n```".replace("\n", "\r"),
    "tildes": f"~~~python\n{ADD}\n~~~",
    "single quotes": f"'''python\n{ADD}\n'''",
    "bare single quotes": f"So:\n'''\n{ADD}\n'''\nDone.",
    "four ticks around three": f"````python\n{ADD}\n# ```\n````",
    "four opened, three closed": f"````python\n{ADD}\n```\nThat adds them.",
    "three opened, five closed": f"{PY}{ADD}\n`````\nThat adds them.",
    "opened by ticks, closed by tildes": f"{PY}{ADD}\n~~~\nThat adds them.",
    "in a list": "1. The code:\n\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Done.",
    "behind a bullet": "- ```python\n  def add(a, b):\n      return a + b\n  ```",
    "in a list, closed at the margin": "2. So:\n   ```python\n   def add(a, b):\n       return a + b\n```\nDone.",
    "set in by a tab": "\t```python\n\tdef add(a, b):\n\t\treturn a + b\n\t```",
    "in a quotation": "> ```python\n> def add(a, b):\n>     return a + b\n> ```",
    "in a quotation, no space": ">```py\n>def add(a, b):\n>    return a + b\n>```\nSo I would say.",
    "indented as a whole": "```python\n    def add(a, b):\n        return a + b\n```",
    "attributes of the fence": fenced(ADD, 'python title="add.py" linenums="1"'),
    "a class of the fence": fenced(ADD, "{.python .numberLines}"),
    "capital letters in the tag": fenced(ADD, "Python"),
    "a version in the tag": fenced(ADD, "python3"),
    "a space before the tag": fenced(ADD, " python"),
    "a mark behind the tag": fenced(ADD, "python [ANSWER]"),
    "the tag on a line of its own": f"```\npython\n{ADD}\n```",
    "code on the line of the fence": "```python def add(a, b):\n    return a + b\n```",
    "an import on the line of the fence": "```python from math import fsum\ndef add(a, b):\n    return int(fsum([a, b]))\n```",
    "a comment on the line of the fence": f"```python # adds\n{ADD}\n```",
    "fence behind prose": f"Of course! This does it: {PY}{ADD}\n```\nTell me more.",
    "fence behind a mark": f"[ANSWER] {PY}{ADD}\n```",
    "prose behind the closing fence": f"{PY}{ADD}\n``` which adds them.",
    "two fences without prose": f"{fenced('import os')}\n{fenced(ADD)}",
    "an empty fence first": f"```\n```\n{ADD}",
    "only the closing fence": f"{ADD}\n```",
    "only the closing fence, prose before": f"Here you are:\n\n{ADD}\n```\n",
    "double quotes three times": f"Here:\n{TQ}\n{ADD}\n{TQ}",
    # spoilt on the way
    "lines ended by a separator": ADD.replace("\n", "\u2028"),
    "typographic quotes": fenced(ADD.replace("return a", "return {‘x’: a}[“x”]")),
    "wide punctuation": fenced(ADD.replace(",", "，").replace(":", "：")),
    "a patch": fenced("-def add(a, b):\n-    return 0\n" + "\n".join(f"+{line}" for line in ADD.split("\n")), "diff"),
    "a patch with context": fenced("@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b", "diff"),
    "JSON whose text is escaped twice": '{"code": "def add(a, b):\\\\n    return a + b"}',
    "code in a sentence": "One line will do: `add = lambda a, b: a + b`, as you see.",
    "a name bound through globals": "def plus(a, b):\n    return a + b\n\nglobals()['add'] = plus",
    # several blocks
    "the example first": f"Call it so:\n{fenced('print(add(1, 2))')}\nThe code:\n{fenced(ADD, 'py')}",
    "the example behind": f"{fenced(ADD)}\nUse:\n{fenced('from solution import add' + chr(10) + 'print(add(1, 2))')}",
    "a shell block first": f"{fenced('pip install nothing-at-all', 'bash')}\n{fenced(ADD)}",
    "a longer output behind": f"{fenced(ADD)}\nOutput:\n{fenced(chr(10).join(map(str, range(40))), '')}",
    "a longer shell block behind": f"{fenced(ADD, '')}\nRun:\n{fenced('cd here' + chr(10) + 'ls -la' + chr(10) + 'python3 add.py 1 2', '')}",
    "the same in another language first": f"In C:\n{fenced('int add(int a, int b) { return a; }', 'c')}\nIn Python:\n{fenced(ADD)}",
    "another language behind": f"{fenced(ADD)}\nIn JavaScript:\n{fenced('function add(a, b) { return a - b }', 'js')}",
    "a wrong version first, as text": f"{fenced(WRONG, 'text')}\n{fenced(ADD)}",
    "a wrong version first": f"A first attempt:\n{fenced(WRONG)}\nThat subtracts. Corrected:\n{fenced(ADD)}",
    "a wrong version behind": f"{fenced(ADD)}\nA common mistake:\n{fenced(WRONG)}",
    "imports in a block of their own": f"Imports:\n{fenced('from operator import add as plus')}\nThen:\n"
    f"{fenced('def add(a, b):' + chr(10) + '    return plus(a, b)')}",
    "a helper in a block behind": f"{fenced('def add(a, b):' + chr(10) + '    return total([a, b])')}\nwith\n"
    f"{fenced('def total(values):' + chr(10) + '    return sum(values)')}",
    "a constant in a block before": f"{fenced('START = 0')}\n{fenced('def add(a, b):' + chr(10) + '    return START + a + b')}",
    "helper, draft and function": f"{fenced('def plus(a, b):' + chr(10) + '    return a + b')}\n{fenced('def add(a, b):' + chr(10) + '    pass')}"
    f"\n{fenced('def add(a, b):' + chr(10) + '    return plus(a, b)')}",
    "split over two blocks": f"{fenced('def add(a, b):' + chr(10) + '    total = a')}\nThen add the second:\n"
    f"{fenced('    total += b' + chr(10) + '    return total')}",
    "signature and body in two blocks": f"{fenced('def add(a, b):')}\nand its body:\n{fenced('    return a + b')}",
    "the question first": f"You gave:\n{fenced(PROMPT)}\nIt becomes:\n{fenced(ADD)}",
    "an empty function first": f"{fenced('def add(a, b):' + chr(10) + '    ...')}\nFill it:\n{fenced(ADD)}",
    "an unwritten function behind": f"{fenced(ADD)}\nElsewhere:\n{fenced('def add(a, b):' + chr(10) + '    raise NotImplementedError')}",
    "a name that starts alike first": f"{fenced('def address(a, b):' + chr(10) + '    return a * b')}\n{fenced(ADD)}",
    "a definition in a comment first": f"{fenced('# def add(a, b): ...' + chr(10) + 'print(1)')}\n{fenced(ADD)}",
    # what stands in the code
    "fences in a docstring": fenced(
        f"def add(a, b):\n    {TQ}Add.\n\n    ```\n    add(1, 2)\n    ```\n    {TQ}\n    return a + b"
    ),
    "a tagged fence in a docstring": fenced(
        f"def add(a, b):\n    {TQ}Add.\n\n    ```python\n    add(1, 2)\n    ```\n    {TQ}\n    return a + b"
    ),
    "a fence at the margin of a docstring": fenced(
        f"def add(a, b):\n    {TQ}Add.\n```\nadd(1, 2)\n```\n    {TQ}\n    return a + b"
    ),
    "ticks in a comment": fenced(f"# as ```a + b``` says\n{ADD}"),
    "a fence in a comment": fenced(f"# ```\n# add(1, 2)\n# ```\n{ADD}"),
    "ticks in a string": fenced(f"FENCE = '```'\n\n{ADD}"),
    "marks in a string": fenced(
        "def add(a, b):\n    marks = '[DONE]</think><|im_end|>&lt;'\n    return a + b + len(marks) - 28"
    ),
    "a string at the margin": "   ```python\n   def add(a, b):\n       s = '''\nx'''\n       return a + b\n   ```",
    "repeats the prompt": fenced(f"{PROMPT}    return a + b"),
    "repeats the prompt and more": fenced(f"{PROMPT}    return plus(a, b)\n\n\ndef plus(a, b):\n    return a + b"),
    "a future import": fenced(f"from __future__ import annotations\n\nimport os\n\n{ADD}"),
    "a main guard": fenced(f'{ADD}\n\nif __name__ == "__main__":\n    print(add(int(input()), 2))'),
    "a main guard that is not the last": fenced(
        f'if __name__ == "__main__":\n    input()\nelse:\n    ONE = 1\n\n{ADD}'
    ),
    "a question at module level": fenced(f"{ADD}\n\na = int(input())\nb = int(input())\nprint(add(a, b))"),
    "a main function that is called": fenced(f"{ADD}\n\ndef main():\n    print(add(int(input()), 1))\n\nmain()"),
    "standard input read at module level": fenced(
        f"import sys\n\n{ADD}\n\nfor line in sys.stdin.read().split():\n    print(add(int(line), undefined))"
    ),
    "a wrong assertion": fenced(f"{ADD}\n\nassert add(1, 1) == 3"),
    "unit tests behind": fenced(
        f"import unittest\n\n{ADD}\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.fail()\n\nunittest.main()"
    ),
    "a demo of a package that is not here": fenced(f"import no_such_package\n\n{ADD}\n\nno_such_package.plot(add)"),
    "exit behind": fenced(f"import sys\n\n{ADD}\n\nsys.exit(add(1, 2))"),
    "a global that is needed": fenced(
        "cache = {}\ncache['x'] = 0\n\ndef add(a, b):\n    return cache['x'] + a + b\n\nprint(cache)"
    ),
    "a table that a loop fills": fenced(
        "table = []\nfor i in range(3):\n    table.append(0)\n\ndef add(a, b):\n    return sum(table) + a + b + table[2]"
    ),
    "a setting of the interpreter": fenced(
        "import sys\nsys.setrecursionlimit(5000)\n\ndef add(a, b):\n    return a + b if sys.getrecursionlimit() == 5000 else None"
    ),
    "an optional import": fenced(
        "try:\n    import no_such_package as p\nexcept ImportError:\n    p = None\n\ndef add(a, b):\n    return a + b if p is None else 0"
    ),
    "a backslash behind def": fenced("def \\\n  add(a, b):\n    return a + b"),
    "an attribute of the function": fenced("def add(a, b):\n    return a + b + add.zero\n\nadd.zero = 0"),
    # other definitions
    "a lambda": fenced("add = lambda a, b: a + b"),
    "an annotated lambda": fenced("from typing import Callable\nadd: Callable = lambda a, b: a + b"),
    "an alias": fenced("def plus(a, b):\n    return a + b\n\nadd = plus"),
    "an imported function": fenced("from operator import add"),
    "an imported function under its name": fenced("import operator\n\nadd = operator.add"),
    "a partial": fenced(
        "from functools import partial\n\ndef plus(zero, a, b):\n    return zero + a + b\n\nadd = partial(plus, 0)"
    ),
    "decorated": fenced("import functools\n\n@functools.lru_cache(maxsize=None)\ndef add(a, b):\n    return a + b"),
    "decorated by its own": fenced(
        "def twice(f):\n    return lambda *a: f(*a)\n\n@twice\ndef add(a, b):\n    return a + b"
    ),
    "wrapped afterwards": fenced(
        "import functools\n\ndef add(a, b):\n    return a + b\n\nadd = functools.lru_cache(add)"
    ),
    "a callable object": fenced("class Adder:\n    def __call__(self, a, b):\n        return a + b\n\nadd = Adder()"),
    "a class with the name": fenced("class add(int):\n    def __new__(cls, a, b):\n        return a + b"),
    "defined by a condition": fenced(
        "import sys\nif sys.maxsize:\n    def add(a, b):\n        return a + b\nelse:\n    add = None"
    ),
    "a method of Solution": fenced("class Solution:\n    def add(self, a, b):\n        return a + b"),
    "a static method of Solution": fenced(
        "class Solution:\n    @staticmethod\n    def add(a, b):\n        return a + b"
    ),
    "a generator helper": fenced(
        "def parts(a, b):\n    yield a\n    yield b\n\ndef add(a, b):\n    return sum(parts(a, b))"
    ),
    "two statements on a line": fenced("ZERO = 0; ONE = 1\ndef add(a, b): x = a; return x + b + ZERO"),
    # bodies
    "the body": "    return a + b",
    "the body, not indented": "return a + b",
    "the body in a fence": fenced("    return a + b"),
    "the body in a fence, not indented": fenced("return a + b"),
    "the body by two spaces": fenced("  total = a\n  if b:\n    total += b\n  return total"),
    "the body by tabs": fenced("\ttotal = a\n\tif b:\n\t\ttotal += b\n\treturn total"),
    "the body by eight spaces": fenced("        total = a\n        return total + b"),
    "first line not indented": fenced("total = a\n    total += b\n    return total"),
    "first line not indented, tabs behind": fenced("total = a\n\ttotal += b\n\treturn total"),
    "first line not indented, no fence": "total = a\n    if b:\n        total += b\n    return total",
    "body behind prose": "The body is\n\n    return a + b\n\nwhich adds them.",
    "body and its output": f"{fenced('return a + b')}\nOutput:\n{fenced('3' + chr(10) + '5' + chr(10) + 'and so on, for a long time', '')}",
    "body behind JSON": f"{fenced('{' + chr(34) + 'a' + chr(34) + ': 1}', 'json')}\n{fenced('return a + b')}",
    # without a fence
    "no fence": ADD,
    "no fence, prose around": f"Here is the code:\n\n{ADD}\n\nThis function adds two numbers.",
    "prose that begins like code": f"from the docstring we know it.\nimport is not needed.\ndef: short for define\n\n{ADD}",
    "prose with an apostrophe": f"Let's go, that's it:\n{ADD}\nIt's done.",
    "an open bracket in prose": f"(Note: this is simple\n\n{ADD}",
    "a closing sentence": f"{ADD}\nthis adds them.",
    "a heading": f"## Solution\n\n{ADD}\n\n## Complexity\n\nConstant.",
    "a bold heading": f"**Solution**\n\n{ADD}\n\n**Why it works**\n\nIt adds.",
    "a colon": f"Answer:\n\n{ADD}\n\nComplexity: O(1)",
    "a note": f"{ADD}\n\nNote: it adds.",
    "bullets": f"{ADD}\n\n* adds\n* returns",
    "dashes": f"{ADD}\n\n- adds\n- returns",
    "numbers": f"{ADD}\n\n1. It adds.\n2) It returns.",
    "a set-in list": f"{ADD}\n\n    1. It adds.\n    2. It returns.",
    "a rule": f"{ADD}\n\n---\nDone.",
    "a quotation": f"{ADD}\n\n> It adds.",
    "a parenthesis": f"{ADD}\n\n(It adds.)",
    "inline code": f"{ADD}\n\n`a + b` is the sum.",
    "a table": f"{ADD}\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "an unfinished string": f"{ADD}\n\n{TQ}\nDone.",
    "another script": f"这是代码。\n\n{ADD}\n\nГотово.",
    "an output": f"{ADD}\n\nOutput:\n3",
    "a fenced output": f"{ADD}\n\nOutput:\n```\n3\n```",
    "a fenced example": f"{ADD}\n\nExample:\n{fenced('add(1, 2)')}",
    "a shell line": f"{ADD}\n\nRun it:\n```bash\npython add.py\n```",
    "a constant after an import": "import math\n\nZERO = 0\n\ndef add(a, b):\n    return a + b + ZERO\n\nThat is all.",
    "a list over lines": "ZEROS = [\n0,\n0,\n]\n\ndef add(a, b):\n    return a + b + sum(ZEROS)\n\nThat is all.",
    "a class before": "class Zero:\n    value = 0\n\nZ = Zero()\n\ndef add(a, b):\n    return a + b + Z.value\n\nFine.",
    "a capitalised lambda": "Plus = lambda a, b: a + b\n\ndef add(a, b):\n    return Plus(a, b)\n\nFine.",
    "helper between prose": "First a helper:\n\ndef plus(a, b):\n    return a + b\n\nThen the function:\n\ndef add(a, b):\n    return plus(a, b)\n\nDone.",
    "else at the margin": "import sys\nif sys.maxsize > 1:\n    K = 0\nelse:\n    K = 1\n\ndef add(a, b):\n    return a + b + K\n\nDone.",
    "set-in prose right behind": f"{ADD}\n  and so it adds.",
    "code behind prose on its line": f"Sure! {ADD}",
    "code behind a mark on its line": f"A: {ADD}\n\nThat adds.",
    "a string at the margin, no fence": "Here:\ndef add(a, b):\n    s = '''\ntext\n'''\n    return a + b\n\nfor x in y\n",
    "notes in quotes before": f"'''\nsome notes\n'''\n{ADD}",
    "a condition in prose": f"{ADD}\n\nif b is negative, it subtracts",
    "a return in prose": f"return the sum:\n{ADD}\n\nreturn value is a number",
    # marks
    "[PYTHON]": f"[PYTHON]\n{ADD}\n[/PYTHON]",
    "[BEGIN] and [DONE]": f"[BEGIN]\n{ADD}\n[DONE]",
    "[DONE] on the line": f"{ADD}[DONE]",
    "[BEGIN] on the line": f"[BEGIN] {ADD}\n[DONE]",
    "<code>": f"<code>\n{ADD}\n</code>",
    "<code> on the line": f"<code>{ADD}</code>",
    "<answer>": f"<answer>\n{ADD}\n</answer>",
    "<answer> around a fence": f"<answer>\n{fenced(ADD)}\n</answer>",
    "<python>": f"<python>\n{ADD}\n</python>",
    "<pre>": f'<pre><code class="language-python">{ADD}</code></pre>',
    "end of turn": f"{ADD}\n<|im_end|>",
    "end of turn on the line": f"{ADD}<|im_end|>",
    "end of text": f"{ADD}<|endoftext|>",
    "end of sequence": f"{ADD}</s>",
    "an end in wide signs": f"{ADD}<｜end▁of▁sentence｜>",
    "end of turn in a fence": f"{PY}{ADD}<|eot_id|>",
    "a next turn": f"{fenced(ADD)}<|im_end|>\n<|im_start|>user\nThanks!",
    "### Response": f"### Response:\n{ADD}",
    "### Response on the line": f"### Response: {ADD}",
    # thoughts
    "<think>": f"<think>\n{fenced(WRONG)}\n</think>\n{fenced(ADD)}",
    "<think> without its beginning": f"{fenced(WRONG)}\n</think>\n\n{fenced(ADD)}",
    "<thinking>": f"<thinking>\n{fenced(WRONG)}\n</thinking>\n{fenced(ADD)}",
    "<reasoning>": f"<reasoning>{WRONG}</reasoning>\n{ADD}",
    "<thought>": f"<thought>\n{WRONG}\n</thought>\n{fenced(ADD)}",
    "[THINK]": f"[THINK]{fenced(WRONG)}[/THINK]{fenced(ADD)}",
    "two thoughts": f"<think>\n{WRONG}\n</think>\nSo:\n<think>\n{fenced(WRONG)}\n</think>\n{fenced(ADD)}",
    "thoughts behind": f"{fenced(ADD)}\n<think>\nor else\n{fenced(WRONG)}\n</think>",
    "thoughts in thoughts": f"<think>\n<think>\n{WRONG}\n</think>\n{fenced(WRONG)}\n</think>\n{fenced(ADD)}",
    "begin of thought": f"<|begin_of_thought|>\n{fenced(WRONG)}\n<|end_of_thought|>\n<|begin_of_solution|>\n{fenced(ADD)}\n<|end_of_solution|>",
    "channels": f"<|channel|>analysis<|message|>{fenced(WRONG)}<|end|><|start|>assistant<|channel|>final<|message|>{fenced(ADD)}<|return|>",
    "a thought that never ends": f"<think>\nso\n{fenced(ADD)}",
    # spoilt on the way
    "byte order mark": f"\ufeff{ADD}",
    "byte order mark in the fence": fenced(f"\ufeff{ADD}"),
    "form feed": fenced(f"\f{ADD}"),
    "no-break spaces": fenced(ADD.replace("    ", "\u00a0" * 4)),
    "a narrow space between words": fenced(ADD.replace("def ", "def\u202f")),
    "a zero-width space": fenced(f"\u200b{ADD}"),
    "entities": fenced("def add(a, b):\n    if a &lt; b or a &gt;= b:\n        return a + b"),
    "entities that parse": fenced("def add(a, b):\n    return (a &lt; b) * 0 + a + b"),
    "entities of quotes": fenced("def add(a, b):\n    return a + b + len(&quot;&quot;)"),
    "line numbers": fenced("1 def add(a, b):\n2     total = a\n3     return total + b"),
    "line numbers and bars": fenced(" 9 | def add(a, b):\n10 |     total = a\n11 | \n12 |     return total + b"),
    "line numbers and colons": "1: def add(a, b):\n2:     return a + b",
    "line numbers and dots": fenced("1. def add(a, b):\n2.     return a + b"),
    "a console": fenced(">>> def add(a, b):\n...     return a + b\n...\n>>> add(1, 2)\n3"),
    "JSON": '{"explanation": "It adds.", "code": "def add(a, b):\\n    return a + b\\n"}',
    "JSON in a fence": fenced(
        '{"thought": "def", "solution": {"python": "def add(a, b):\\n    return a + b"}}', "json"
    ),
    "JSON with a fence in it": '{"answer": "```python\\ndef add(a, b):\\n    return a + b\\n```"}',
    "JSON with line ends": '{"code": "def add(a, b):\n    return a + b"}',
    "JSON in a list": '[{"name": "add.py", "content": "def add(a, b):\\n    return a + b"}]',
    "a string of JSON": '"def add(a, b):\\n    return a + b\\n"',
    "escaped line ends": 'def add(a, b):\\n    s = \\"\\"\\n    return a + b',
    "escaped line ends in a fence": "```python\\ndef add(a, b):\\n    return a + b\\n```",
}

HALF = "def half(n):\n    return n / 2"
ALONE = {
    "fenced": fenced(HALF),
    "done": f"{HALF}\n[DONE]",
    "begin, done": f"[BEGIN]\n{HALF}\n[DONE]",
    "begin, done in a fence": f"[BEGIN]\n{fenced(HALF)}\n[DONE]",
    "done in the fence": fenced(f"{HALF}\n[DONE]"),
    "done on the line, and the next task": f"{HALF}[DONE]\n\nYou are an expert Python programmer, and here is your task: Write one.",
    "a lambda": fenced("half = lambda n: n / 2"),
    "an alias for another spelling": fenced("def Half(n):\n    return n / 2\n\nhalf = Half"),
    "a method of Solution": fenced(
        "class Solution:\n    def half(self, n):\n        return self.part(n, 2)\n\n    def part(self, n, k):\n        return n / k"
    ),
    "a method of Solution, unfenced": "class Solution(object):\n    def half(self, n: int) -> float:\n        return n / 2\n\nThat is it.",
    "constants before": "from fractions import Fraction\nTWO = 2\n\ndef half(n):\n    return float(Fraction(n, TWO))\n\nSo it is.",
    "a helper behind": fenced(
        "def half(n):\n    return part(n, 2)\n\n\ndef part(n, k):\n    return n / k\n\nprint(half(int(input())))"
    ),
    "the tests repeated": fenced(f"{HALF}\n\nassert half(4) == 2\nassert half(3) == 1"),
    "the question in the answer": f'"""\nWrite a function that halves.\nassert half(4) == 2\n"""\n{HALF}',
}

FUNCTIONS = {
    "javascript": "const half = (n) => {\n  // a } brace\n  return n / 2;\n}",
    "java": 'class Solution {\n    public double half(double n) {\n        String s = "}";\n        return n / 2;\n    }\n}',
    "go": 'func half(n float64) float64 {\n\ts := "}"\n\t_ = s\n\treturn n / 2\n}',
    "cpp": "#include <vector>\nusing namespace std;\n\ndouble half(double n) {\n    /* a } brace */\n    return n / 2;\n}",
    "rust": "fn half(n: f64) -> f64 {\n    let _c = '}';\n    n / 2.0\n}",
}
"""A right answer in each language."""

WRAPPED = {
    "fenced": "```{tag}\n{code}\n```",
    "fenced without a language": "Here:\n```\n{code}\n```\nDone.",
    "cut off": "```{tag}\n{code}",
    "unfenced": "{code}",
    "unfenced, prose around": "Here's the function (it's short:\n\n{code}\n\nThis works: it divides by two.",
    "unfenced, list behind": "{code}\n\n- It divides.\n- It returns.\n1. One\n**Bold**",
    "unfenced, closing fence": "{code}\n```",
    "unfenced, fenced output": "{code}\n\nOutput:\n```\n2.5\n```",
    "fence on a line of prose": "So: ```{tag}\n{code}\n```",
    "fence unequal": "````{tag}\n{code}\n```\nDone.",
    "tildes": "~~~{tag}\n{code}\n~~~",
    "tag on its own line": "```\n{tag}\n{code}\n```",
    "Python first": "In Python:\n```python\ndef half(n):\n    return 0\n```\nSo:\n```{tag}\n{code}\n```",
    "a shell block first": "```bash\nmake all\n```\n```{tag}\n{code}\n```",
    "a longer output behind": "```{tag}\n{code}\n```\n```\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n```",
    "a fence in a comment": "```{tag}\n/*\n```\nhalf(3)\n```\n*/\n{code}\n```",
    "byte order mark": "```{tag}\n\ufeff{code}\n```",
    "thoughts": "<think>\n```{tag}\n{wrong}\n```\n</think>\n```{tag}\n{code}\n```",
    "thinking": "<thinking>{wrong}</thinking>\n{code}",
    "marks": "[BEGIN]\n{code}\n[DONE]",
    "marks on the line": "[ANSWER]{code}[/ANSWER]",
    "end of turn": "```{tag}\n{code}<|im_end|>",
    "answer tags": "<answer>\n{code}\n</answer>",
    "a wrong version first": "The buggy version:\n```{tag}\n{wrong}\n```\nFixed:\n```{tag}\n{code}\n```",
    "an empty one first": "```{tag}\n{empty}\n```\nFilled in:\n```{tag}\n{code}\n```",
    "in a list": "1. So:\n\n   ```{tag}\n{indented}\n   ```",
    "in a quotation": "> ```{tag}\n{quoted}\n> ```",
    "a label before": "Answer:\n{code}\n\nComplexity: O(1)",
    "behind prose on its line": "Sure! {code}",
    "JSON": "{json}",
    "entities": "```{tag}\n{entities}\n```",
    "line numbers": "```{tag}\n{numbered}\n```",
    "no-break spaces": "```{tag}\n{nbsp}\n```",
}
"""Ways to answer; `{code}` is the function."""

AROUND = {
    "thoughts before": "<think>\nI could write\n```python\n{wrong}\n```\n</think>\n\n{answer}",
    "prose before": "Certainly! Here is how to do it, in Python.\n\n{answer}",
    "prose behind": "{answer}\n\nThis adds the two numbers. Let me know if you have questions!",
    "byte order mark": "\ufeff{answer}",
    "answer tags": "<answer>\n{answer}\n</answer>",
    "an example behind": "{answer}\n\nExample:\n```python\nprint(add(1, 2))  # 3\n```\n",
    "a shell block before": "First:\n```bash\npip install x\n```\n{answer}",
    "an output behind": "{answer}\n\nOutput:\n```\n3\n```",
    "headings": "# Answer\n\n{answer}\n\n## Notes\n- fine",
    "marks": "[BEGIN]\n{answer}\n[DONE]",
    "white space": "\n\n{answer}\n   ",
}
"""What stands around an answer and changes nothing in it."""
