"""What a bug may change, and what tree-sitter calls it in the languages that we have grammars for."""

from __future__ import annotations


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


KINDS = {
    "value misuse": 44, "missing logic": 33, "excess logic": 31, "operator misuse": 25, "variable misuse": 23,
    "function misuse": 8,
}  # fmt: skip
"""Kind of bug → how many of HumanEvalPack's 164 problems have it."""

OPERATORS: dict[str, tuple[str, ...]] = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",),
    "===": ("!==",), "!==": ("===",), "+": ("-",), "-": ("+",), "*": ("+",), "//": ("%",), "%": ("//",), "**": ("*",),
    "and": ("or",), "or": ("and",), "&&": ("||",), "||": ("&&",), "+=": ("-=",), "-=": ("+=",), "*=": ("+=",),
    "<<": (">>",), ">>": ("<<",), "&": ("|",), "|": ("&",), "in": ("not in",), "not in": ("in",), "is": ("is not",),
    "is not": ("is",),
}  # fmt: skip
"""Operator → those it is mistaken for."""

FUNCTIONS: dict[str, tuple[str, ...]] = {
    one: (other,)
    for pair in (
        ("min", "max"), ("any", "all"), ("startswith", "endswith"), ("upper", "lower"), ("lstrip", "rstrip"),
        ("floor", "ceil"), ("find", "rfind"), ("index", "rindex"), ("split", "rsplit"), ("partition", "rpartition"),
        ("keys", "values"), ("union", "intersection"), ("startsWith", "endsWith"), ("toUpperCase", "toLowerCase"),
        ("every", "some"), ("indexOf", "lastIndexOf"), ("HasPrefix", "HasSuffix"), ("ToUpper", "ToLower"),
        ("Min", "Max"), ("Any", "All"), ("StartsWith", "EndsWith"), ("starts_with", "ends_with"),
        ("start_with?", "end_with?"),
        ("upcase", "downcase"), ("strtolower", "strtoupper"), ("ltrim", "rtrim"), ("shift", "pop"),
    )
    for one, other in (pair, pair[::-1])
}  # fmt: skip
"""Function or method → the one it is mistaken for."""

WORDS = {"True": "False", "False": "True", "true": "false", "false": "true"}

NUMBERS = _set("integer number decimal_integer_literal int_literal number_literal integer_literal")
VARIABLES = _set("identifier variable_name")
CALLED = _set("identifier property_identifier field_identifier name")
STRINGS = _set("string template_string raw_string_literal encapsed_string heredoc nowdoc string_literal "
               "interpreted_string_literal verbatim_string_literal interpolated_string_expression concatenated_string "
               "char_literal character_literal rune_literal regex comment line_comment block_comment")  # fmt: skip

EXPRESSIONS = _set("binary_operator comparison_operator boolean_operator binary_expression binary")
UPDATES = _set("augmented_assignment augmented_assignment_expression assignment_expression operator_assignment "
               "compound_assignment_expr assignment_statement")  # fmt: skip
NEGATIONS = _set("not_operator unary_expression unary unary_op_expression prefix_unary_expression")
CONDITIONALS = _set(
    "if_statement if if_expression while_statement conditional_expression ternary_expression elif_clause"
)
CONDITIONS = _set("comparison_operator boolean_operator parenthesized_expression binary_expression binary identifier "
                  "call call_expression attribute selector_expression")  # fmt: skip
GUARD_ENDS = ("return", "raise", "throw", "continue", "break")
ANNOTATED = _set("call")
OPERANDS = EXPRESSIONS | _set("argument_list arguments argument return_statement subscript subscript_expression "
                              "index_expression element_access_expression expression_list return")  # fmt: skip
PARAMETERS = _set("parameters lambda_parameters formal_parameters formal_parameter method_parameters parameter "
                  "parameter_declaration typed_parameter default_parameter typed_default_parameter simple_parameter "
                  "required_parameter optional_parameter")  # fmt: skip
BLOCKS = {"parameters": _set("parameters lambda_parameters formal_parameters method_parameters typed_parameter")}

QUIET = _set("raise_statement throw_statement throw_expression assert_statement type type_annotation type_arguments "
             "type_parameters generic_type decorator annotation marker_annotation attribute_item attribute_list "
             "import_statement import_from_statement import_declaration use_declaration using_directive")  # fmt: skip
"""Nodes in which a change would not be seen in what the function does, or would not run."""

TYPED = _set("java go c cpp csharp rust typescript")
"""Languages in which a variable of another type does not compile."""
