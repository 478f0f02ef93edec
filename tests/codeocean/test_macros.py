"""C and C++ with what a parser without a preprocessor cannot read."""

import pytest

from codeocean.collect.functions import survey


def found_in(source, language="cpp"):
    return [(found.name, found.docstring) for found in survey(source.encode(), language)]


def test_a_comment_that_ends_in_class_is_no_declaration_of_one():
    source = """class Door {
    /// Opens, from the base class
    explicit Door(const Frame& frame) noexcept : frame_(frame) {}
    // what follows is a struct
    /// Opens it twice.
    Door(int width) noexcept : width_{width} { open(); }
};
"""
    assert found_in(source) == [("Door.Door", "Opens, from the base class"), ("Door.Door", "Opens it twice.")]


def test_the_body_of_a_long_macro_is_not_read():
    source = """#define DOORS_END    \\
    }  /* namespace (inline, "doors */ \\
    }  // namespace "house
#if __has_include(<version>) && HAS_WARNING("-Wpedantic")
/** Opens. */
int open(int a) { return a; }
#elif __has_include("doors.h")
#endif
namespace doors {
#define BOTH(a) \\
    int first_##a; \\
    template <class T> struct second_##a : T<a>
class Door {
    /** Shuts. */
    Door(int a) noexcept(noexcept(T(a))) : a_(a) {}
};
}
"""
    assert found_in(source) == [("open", "Opens."), ("Door.Door", "Shuts.")]


@pytest.mark.parametrize("blank", [" ", "\t", "   ", " \\\n", "  \r", " \r"])
@pytest.mark.parametrize("name", ["DOOR_API", "DOOR(a)", "D"])
def test_an_empty_macro_ends_where_its_line_does(name, blank):
    source = f"#define {name}{blank}\nclass Door {{\n  /** Opens. */\n  int open(int a) {{ return a; }}\n}};\n"
    assert found_in(source) == [("Door.open", "Opens.")]


@pytest.mark.parametrize("above", ["", "// #include <doors/box.hpp>\n\n", "#include <tuple>  // tie\n"])
@pytest.mark.parametrize("macros", ["DOORS_BEGIN\n", "DOORS_BEGIN\nDOORS_EXPORT_BEGIN\n", "A_B\nDOORS(a)\nC_D\n"])
def test_macros_alone_on_their_lines_are_no_type(above, macros):
    source = f"""{above}{macros}
/** A door. */
template <typename T> class Door {{
 public:
  /** Opens. */
  Door(const T* a) : a_(a) {{}}
}};
"""
    assert found_in(source) == [("Door.Door", "Opens.")]
