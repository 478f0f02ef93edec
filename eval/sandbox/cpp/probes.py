"""The types of a C++ function as the compiler knows them: typedefs, macros, templates, `auto`, default arguments.

A candidate is compiled, never linked or run, followed by an incomplete type that has the function's type as argument:
the error that g++ must give names it. Where that is no single function (a template, overloads, a lambda, a macro) the
benchmark's tests are compiled behind it, and each of their calls is named so. What comes back is text that the
candidate may have forged: only types of plain data are taken from it (`eval/sandbox/signatures.py`).
"""

from __future__ import annotations

import itertools
import re

from eval.sandbox.cpp.ways import iterated, referred_array
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.signatures import is_plain

_SHOW = """
#include "wire.hpp"
template <class... T> struct wavecoder_show;
template <class F, class... A, size_t... N> constexpr bool wavecoder_takes(std::index_sequence<N...>) {
    return std::is_invocable_v<F, std::tuple_element_t<N, std::tuple<A...>>...>;
}
template <class F, class... A, size_t... K> constexpr size_t wavecoder_least(std::index_sequence<K...>) {
    size_t least = sizeof...(A);
    (void)std::initializer_list<int>{
        (wavecoder_takes<F, A...>(std::make_index_sequence<K>{}) && K < least ? (least = K, 0) : 0)...};
    return least;
}
template <size_t N> struct wavecoder_number;
template <class F> struct wavecoder_signature;
template <class C, class R, class... A> struct wavecoder_signature<R (C::*)(A...) const> {
    using type = std::function<R(A...)>;
};
template <class C, class R, class... A> struct wavecoder_signature<R (C::*)(A...)> {
    using type = std::function<R(A...)>;
};
template <class A, class = void> struct wavecoder_shown { using type = A; };  // a lambda as the function that it is
template <class A> struct wavecoder_shown<A, std::void_t<decltype(&std::decay_t<A>::operator())>>
    : wavecoder_signature<decltype(&std::decay_t<A>::operator())> {};
template <class A> using wavecoder_as = typename wavecoder_shown<A>::type;
template <class A> wavecoder_as<A&&> wavecoder_value();
template <class F, class R, class... A> auto wavecoder_function(F, R (*)(A...)) {
    using least = wavecoder_number<wavecoder_least<F, A...>(std::index_sequence_for<A...>{})>;
    wavecoder_show<wavecoder_as<R>(A...), least> shown;
}
template <class F, class C, class R, class... A> auto wavecoder_object(F f, R (C::*)(A...) const) {
    return wavecoder_function(f, static_cast<R (*)(A...)>(nullptr));
}
"""


def probe_of_object(candidate: str, name: str) -> str:
    """The same of a function that is an object, such as a lambda in a variable."""
    call = f"[](auto&&... a) -> decltype({name}(static_cast<decltype(a)&&>(a)...)) {{ throw; }}"
    called = f"wavecoder_object({call}, &std::decay_t<decltype({name})>::operator())"
    return f"{_SHOW}{candidate}\nvoid wavecoder_probe() {{ {called}; }}\n"


def probe_of_function(candidate: str, name: str) -> str:
    """A program whose compilation names the type of a function, and how many arguments it takes at least."""
    call = f"[](auto&&... a) -> decltype({name}(static_cast<decltype(a)&&>(a)...)) {{ throw; }}"
    return f"{_SHOW}{candidate}\nvoid wavecoder_probe() {{ wavecoder_function({call}, &{name}); }}\n"


def probe_of_calls(candidate: str, tests: str, name: str) -> str:
    """A program whose compilation names the types of every call that the tests make."""
    macro = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{name}\(([^)]*)\)", candidate, re.MULTILINE)
    size = len(macro[1].split(",")) if macro else None  # a macro takes no pack
    kinds = "class... A" if size is None else ", ".join(f"class A{n}" for n in range(size))
    taken = "A&&... a" if size is None else ", ".join(f"A{n}&& a{n}" for n in range(size))
    listed = "wavecoder_as<A&&>..." if size is None else ", ".join(f"wavecoder_as<A{n}&&>" for n in range(size))
    given = "static_cast<A&&>(a)..." if size is None else ", ".join(f"(static_cast<A{n}&&>(a{n}))" for n in range(size))
    number = "sizeof...(A)" if size is None else str(size)
    shown = "wavecoder_value<A>()..." if size is None else ", ".join(f"(wavecoder_value<A{n}>())" for n in range(size))
    wrapped = (f"template <{kinds}> decltype(auto) wavecoder_called({taken}) {{\n"
               f"    using R = wavecoder_as<decltype({name}({shown}))>;\n"
               f"    wavecoder_show<R({listed}), wavecoder_number<{number}>> shown;\n"
               f"    return {name}({given});\n}}\n")  # fmt: skip
    return f"{_SHOW}{candidate}\n{wrapped}#undef {name}\n#define {name} wavecoder_called\n{tests}\n"


def functions_in(errors: str, name: str) -> list[Function]:
    """The functions that the errors name, one for each number of arguments; only those of plain data."""
    found: dict[tuple[str, ...], Function] = {}
    for shown, least in re.findall(r"wavecoder_show<(.+\)), wavecoder_number<(\d+)[a-z]*> ?> shown", errors):
        returns, given = _parted(shown)
        kinds = _without_pointers([_bare(kind) for kind in split_at_commas(given) if kind.strip()])
        result = _bare(returns)
        result = next((kind for kind in kinds if kind.endswith("pointer") and re.search(r"\*$", result)), result)
        for size in range(int(least), len(kinds) + 1):
            function = Function(name, result, tuple((f"a{n}", kind) for n, kind in enumerate(kinds[:size])))
            if is_plain(_without_iterators(function), "cpp") and not any(
                "(&" in kind and not referred_array(kind) for kind in kinds[:size]
            ):
                found.setdefault(tuple(kinds[:size]), function)
    return list(found.values())


def _parted(shown: str) -> tuple[str, str]:
    """`function<int(int)>(int, char)` → the result's type, and those of the parameters."""
    depth, at = 0, len(shown)
    while at > 0:
        at -= 1
        depth += (shown[at] == ")") - (shown[at] == "(")
        if depth == 0:
            break
    return shown[:at], shown[at + 1 : -1]


def _without_iterators(function: Function) -> Function:
    return Function(function.name, re.sub(_ITERATOR, "", function.returns),
                    tuple((name, re.sub(_ITERATOR, "", kind)) for name, kind in function.parameters))  # fmt: skip


_TEXT = "const char*"
_ITERATOR = r"::(?:const_)?(?:iterator|pointer)$"


def _without_pointers(kinds: list[str]) -> list[str]:
    """Two pointers in a row as those of a list's items: they are two ends."""
    items = [re.fullmatch(r"(const )?([\w ]+?) ?(?:\*(?: const)?(?: ?&+)?|\(&\)\[\d+\])", kind) for kind in kinds]
    for n, (one, two) in enumerate(itertools.pairwise(items)):
        if one and two and one[2] == two[2] and not iterated(kinds[n]) and not {_TEXT} & set(kinds[n : n + 2]):
            const = "const_" if one[1] or two[1] else ""
            kinds[n : n + 2] = [f"std::vector<{one[2]}>::{const}pointer"] * 2
    return kinds


def _bare(kind: str) -> str:
    """A type as one writes it: iterators as those of their containers."""
    kind = " ".join(kind.split())
    if re.fullmatch(r"const char ?\(&\) ?\[\d+\]", kind):
        return _TEXT  # what quotes hold
    kind = re.sub(r"^(?:const )?(__gnu_cxx::__normal_iterator<|std::_\w+_iterator<)(.*?) ?&*$", r"\1\2", kind)
    if found := re.fullmatch(r"__gnu_cxx::__normal_iterator<(const )?[^,]*\*, (.*)>", kind):
        return f"{found[2].strip()}::{'const_' if found[1] else ''}iterator"
    for name, container in (("List", "list"), ("Rb_tree", "set"), ("Deque", "deque")):
        if found := re.fullmatch(rf"std::_{name}_(const_)?iterator<(.*)>", kind):
            return f"std::{container}<{split_at_commas(found[2])[0].strip()}>::{found[1] or ''}iterator"
    return kind
