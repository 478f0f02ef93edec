"""Names of languages and their libraries that tests mean as those where no entry point is given.

A candidate that defines one of them would be told what it is to answer: `Some(5)`, `labs(f(2) - 5)`.
"""

from __future__ import annotations

from collections.abc import Iterable

from eval.sandbox.go_types import PREDECLARED

_CPP = """abs fabs round floor ceil pow sqrt max min sort equal find count swap to_string stoi assert main rand exit
fmod log exp isnan accumulate reverse printf string vector map set pair tuple list deque optional function make_pair
make_tuple tie get"""
_LATER = frozenset({"clear", "max", "min"})
"""What Go has only since 1.21: many programs have their own."""
RESERVED: dict[str, frozenset[str]] = {
    "cpp": frozenset(_CPP.split()),
    "rust": frozenset({"main", "drop", "Some", "None", "Ok", "Err"}),
    "go": PREDECLARED - _LATER,
    "java": frozenset({"main", "equals", "hashCode", "toString", "getClass"}),
}
"""Names that are never the candidate's."""
_OF_LIBRARY = """acos acosh adjacent_find all_of any_of asin asinh atan atan2 atanh atof atoi atol atoll
binary_search cbrt copysign cos cosh count_if equal_range erf erfc exp2 expm1 fdim find_first_of
find_if find_if_not fma fmax fmin fpclassify frexp hypot ilogb includes inner_product is_heap
is_partitioned is_permutation is_sorted is_sorted_until isalnum isalpha isblank iscntrl isdigit
isfinite isgraph isgreater isinf isless islower isnormal isprint ispunct isspace isupper isxdigit
labs ldexp lexicographical_compare lgamma llabs llrint llround log10 log1p log2 logb lower_bound
lrint lround max_element memchr memcmp min_element minmax minmax_element mismatch modf nan nearbyint
none_of remainder rint scalbn signbit sin sinh stod stof stol stold stoll stoul stoull strcasecmp
strchr strcmp strcoll strlen strncasecmp strncmp strpbrk strrchr strstr strtod strtol tan tanh
tgamma tolower toupper trunc upper_bound wcscmp wcslen"""
LIBRARY = {"cpp": frozenset(_OF_LIBRARY.split()), "go": _LATER}
"""Functions of the libraries that compute or compare: the candidate's only where the tests call nothing else of it."""


def without_library(names: Iterable[str], language: str) -> set[str]:
    """The names of a candidate's functions that tests call, without those that they mean as the library's."""
    called = set(names)
    return called - LIBRARY.get(language, frozenset()) or called
