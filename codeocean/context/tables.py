"""Where names are read and defined in each language's syntax tree; data for `items.py` and `names.py`."""

from __future__ import annotations

from dataclasses import dataclass


def words_of(names: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(names.split())


def _pairs(names: str) -> frozenset[tuple[str, str]]:
    pairs = (name.partition(".") for name in names.split())
    return frozenset((kind, field) for kind, _, field in pairs)


@dataclass(frozen=True)
class Table:
    """A language's; pairs are (kind of the outer node, field), written `kind.field`."""

    declares: frozenset[tuple[str, str]]
    """Below these, names are defined."""
    classes: frozenset[str]
    """Nodes whose parts are reached by way of them; of a file only those parts are kept that are named."""
    bodies: frozenset[str]
    """Nodes that hold parts."""
    spaces: frozenset[str] = frozenset()
    """Nodes whose parts are reached as if they stood outside: namespaces, modules, conditional compilation."""
    whole: frozenset[str] = frozenset()
    """Nodes inside a class that say that it needs all its parts, and classes that do."""
    always: frozenset[str] = frozenset()
    """Parts that are kept wherever their class is."""
    attributes: frozenset[str] = frozenset()
    """Nodes that stand before what they belong to."""
    members: frozenset[str] = frozenset()
    """Names behind a dot."""
    behind: frozenset[tuple[str, str]] = frozenset()
    """Below these, too, a name stands behind a dot or `::`."""
    ignored: frozenset[tuple[str, str]] = frozenset()
    """Names that are labels, keys and the like."""
    doubtful: frozenset[tuple[str, str]] = frozenset()
    """Below these a name may be none of the file's."""
    implicit: bool = False
    """Whether a class's parts are named without `this` before them."""
    given: frozenset[str] = frozenset()
    """Names that the language gives."""


_C_DECLARES = (
    "parameter_declaration.declarator optional_parameter_declaration.declarator declaration.declarator "
    "field_declaration.declarator function_definition.declarator for_range_loop.declarator type_definition.declarator "
    "variadic_parameter_declaration.declarator type_parameter_declaration. enumerator.name class_specifier.name "
    "optional_type_parameter_declaration.name variadic_type_parameter_declaration. lambda_capture_initializer.left "
    "struct_specifier.name union_specifier.name enum_specifier.name alias_declaration.name namespace_definition.name "
    "preproc_def.name preproc_function_def.name preproc_params. namespace_alias_definition.name concept_definition.name"
)
_CPP = Table(
    declares=_pairs(_C_DECLARES),
    classes=words_of("class_specifier struct_specifier union_specifier"),
    bodies=words_of("declaration_list field_declaration_list preproc_ifdef preproc_if preproc_else preproc_elif"),
    spaces=words_of("namespace_definition linkage_specification preproc_ifdef preproc_if preproc_else preproc_elif"),
    always=words_of("access_specifier using_declaration"),
    members=words_of("field_identifier"),
    behind=_pairs("qualified_identifier.name"),
    ignored=_pairs("preproc_ifdef.name goto_statement.label labeled_statement.label"),
    doubtful=_pairs("preproc_if.condition preproc_elif.condition"),
    implicit=True,
    given=words_of(
        "__func__ __FILE__ __LINE__ __VA_ARGS__ __cplusplus defined static_cast dynamic_cast const_cast "
        "reinterpret_cast typename wchar_t char8_t char16_t char32_t"
    ),
)
_SCRIPT = Table(
    declares=_pairs(
        "variable_declarator.name formal_parameters. required_parameter.pattern optional_parameter.pattern "
        "arrow_function.parameter catch_clause.parameter function_declaration.name for_in_statement.left "
        "generator_function_declaration.name class_declaration.name abstract_class_declaration.name class.name "
        "function_expression.name generator_function.name function_signature.name type_parameter.name "
        "type_alias_declaration.name interface_declaration.name enum_declaration.name mapped_type_clause.name "
        "infer_type. index_signature.name internal_module.name module.name import_clause. import_specifier.name "
        "import_specifier.alias namespace_import. import_require_clause. export_specifier.alias"
    ),
    classes=words_of("class_declaration abstract_class_declaration class"),
    bodies=words_of("class_body"),
    whole=words_of("implements_clause"),
    always=words_of("class_static_block"),
    attributes=words_of("decorator"),
    members=words_of("property_identifier private_property_identifier"),
    behind=_pairs("nested_type_identifier.name nested_identifier.property"),
    ignored=_pairs("jsx_attribute. jsx_opening_element.name jsx_closing_element.name jsx_self_closing_element.name"),
    given=words_of(
        "undefined NaN Infinity arguments globalThis global require module exports __dirname __filename Object "
        "Function Array Number Boolean String Symbol BigInt Math JSON Date RegExp Error AggregateError EvalError "
        "RangeError ReferenceError SyntaxError TypeError URIError Promise Proxy Reflect Map Set WeakMap WeakSet "
        "WeakRef FinalizationRegistry ArrayBuffer SharedArrayBuffer DataView Int8Array Uint8Array "
        "Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array "
        "BigUint64Array Atomics Intl WebAssembly parseInt parseFloat isNaN isFinite encodeURI encodeURIComponent "
        "decodeURI decodeURIComponent escape unescape eval console process Buffer setTimeout clearTimeout "
        "setInterval clearInterval setImmediate clearImmediate queueMicrotask structuredClone TextEncoder "
        "TextDecoder URL URLSearchParams AbortController AbortSignal Event EventTarget performance fetch Headers "
        "Request Response FormData Blob atob btoa crypto Iterator const Partial Required Readonly Record Pick "
        "Omit Exclude Extract NonNullable Parameters ConstructorParameters ReturnType InstanceType ThisType "
        "ThisParameterType OmitThisParameter Awaited Uppercase Lowercase Capitalize Uncapitalize NoInfer "
        "ReadonlyArray ReadonlyMap ReadonlySet ArrayLike PromiseLike Iterable IterableIterator AsyncIterable "
        "AsyncIterator AsyncIterableIterator Generator AsyncGenerator IteratorResult PropertyKey "
        "PropertyDescriptor TemplateStringsArray RegExpExecArray RegExpMatchArray CallableFunction "
        "NewableFunction ArrayBufferLike ArrayBufferView BufferSource"
    ),
)
TABLES: dict[str, Table] = {
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "go": Table(
        declares=_pairs(
            "short_var_declaration.left var_spec.name const_spec.name parameter_declaration.name range_clause.left "
            "variadic_parameter_declaration.name receive_statement.left type_spec.name type_alias.name "
            "function_declaration.name type_parameter_declaration.name type_switch_statement.alias import_spec.name"
        ),
        classes=frozenset(),
        bodies=frozenset(),
        members=words_of("field_identifier"),
        behind=_pairs("qualified_type.name"),
        doubtful=_pairs("keyed_element. keyed_element.key"),
        given=words_of(
            "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune "
            "string uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex "
            "copy delete imag len make max min new panic print println real recover _"
        ),
    ),
    "java": Table(
        declares=_pairs(
            "formal_parameter.name variable_declarator.name catch_formal_parameter.name enhanced_for_statement.name "
            "resource.name inferred_parameters. lambda_expression.parameters instanceof_expression.name type_pattern. "
            "record_pattern_component. type_parameter. class_declaration.name interface_declaration.name "
            "enum_declaration.name record_declaration.name annotation_type_declaration.name method_declaration.name "
            "constructor_declaration.name compact_constructor_declaration.name enum_constant.name"
        ),
        classes=words_of("class_declaration interface_declaration enum_declaration record_declaration"),
        bodies=words_of("class_body interface_body enum_body_declarations"),
        whole=words_of("superclass super_interfaces interface_declaration enum_declaration record_declaration"),
        always=words_of("constructor_declaration compact_constructor_declaration static_initializer block"),
        behind=_pairs("field_access.field scoped_type_identifier. method_reference."),
        ignored=_pairs("labeled_statement. break_statement. continue_statement. element_value_pair.key"),
        doubtful=_pairs("switch_label."),
        implicit=True,
        given=words_of(
            "java javax length Appendable AutoCloseable CharSequence Cloneable Comparable Iterable Readable "
            "Runnable Boolean Byte Character Class ClassLoader Double Enum Float InheritableThreadLocal Integer "
            "Long Math Module Number Object Package Process ProcessBuilder Record Runtime Short StackTraceElement "
            "StackWalker StrictMath String StringBuffer StringBuilder System Thread ThreadGroup ThreadLocal "
            "Throwable Void ArithmeticException ArrayIndexOutOfBoundsException ArrayStoreException "
            "ClassCastException ClassNotFoundException CloneNotSupportedException Exception "
            "IllegalAccessException IllegalArgumentException IllegalMonitorStateException IllegalStateException "
            "IndexOutOfBoundsException InstantiationException InterruptedException NegativeArraySizeException "
            "NoSuchFieldException NoSuchMethodException NullPointerException NumberFormatException "
            "ReflectiveOperationException RuntimeException SecurityException StringIndexOutOfBoundsException "
            "UnsupportedOperationException AssertionError ClassFormatError Error ExceptionInInitializerError "
            "InternalError LinkageError NoClassDefFoundError OutOfMemoryError StackOverflowError "
            "VirtualMachineError Deprecated FunctionalInterface Override SafeVarargs SuppressWarnings var "
            "getClass hashCode equals toString clone notify notifyAll wait finalize"
        ),
    ),
    "c": _CPP,
    "cpp": _CPP,
    "rust": Table(
        declares=_pairs(
            "let_declaration.pattern let_condition.pattern parameter.pattern closure_parameters. match_arm.pattern "
            "for_expression.pattern type_parameter.name const_parameter.name function_item.name struct_item.name "
            "enum_item.name union_item.name trait_item.name mod_item.name const_item.name static_item.name "
            "type_item.name macro_definition.name associated_type.name function_signature_item.name "
            "extern_crate_declaration.name extern_crate_declaration.alias use_declaration.argument"
        ),
        classes=words_of("trait_item impl_item"),
        bodies=words_of("declaration_list"),
        spaces=words_of("mod_item"),
        whole=words_of("trait_item"),
        attributes=words_of("attribute_item"),
        members=words_of("field_identifier"),
        behind=_pairs("scoped_identifier.name scoped_type_identifier.name"),
        ignored=_pairs("lifetime. label. attribute. type_binding.name token_binding_pattern.name enum_variant.name"),
        doubtful=_pairs("macro_invocation. macro_rule.right attribute.arguments"),
        given=words_of(
            "std core alloc Self self i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char str "
            "Box String Vec Option Some None Result Ok Err ToOwned ToString Clone Copy Send Sync Sized Unpin Drop "
            "Fn FnMut FnOnce drop AsRef AsMut Into From TryFrom TryInto Default Iterator Extend IntoIterator "
            "DoubleEndedIterator ExactSizeIterator FromIterator Eq PartialEq Ord PartialOrd Debug Hash println "
            "print eprintln eprint format write writeln vec panic assert assert_eq assert_ne debug_assert "
            "debug_assert_eq debug_assert_ne unreachable unimplemented todo matches cfg concat env option_env "
            "file line column module_path stringify include_str include_bytes compile_error dbg thread_local _"
        ),
    ),
}  # fmt: skip
SPECIAL = {
    "javascript": words_of("constructor toString toJSON valueOf"),
    "typescript": words_of("constructor toString toJSON valueOf"),
    "go": words_of("String Error Len Less Swap Push Pop Unwrap Is As Format GoString Read Write Close MarshalJSON"),
    "java": words_of("equals hashCode toString"),
}
"""Parts of a class that are called by no name: they are kept with it."""
STARRED = {
    "java.util": words_of(
        "AbstractList AbstractMap AbstractSet ArrayDeque ArrayList Arrays Base64 BitSet Calendar Collection "
        "Collections Comparator Currency Date Deque Dictionary EnumMap EnumSet Enumeration Formatter HashMap "
        "HashSet Hashtable IdentityHashMap Iterator LinkedHashMap LinkedHashSet LinkedList List ListIterator "
        "Locale Map NavigableMap NavigableSet NoSuchElementException Objects Optional OptionalDouble OptionalInt "
        "OptionalLong PriorityQueue Properties Queue Random Scanner Set SortedMap SortedSet Spliterator Stack "
        "StringJoiner StringTokenizer TimeZone Timer TreeMap TreeSet UUID Vector WeakHashMap"
    ),
    "java.io": words_of(
        "BufferedInputStream BufferedOutputStream BufferedReader BufferedWriter ByteArrayInputStream "
        "ByteArrayOutputStream Closeable DataInputStream DataOutputStream EOFException File FileInputStream "
        "FileNotFoundException FileOutputStream FileReader FileWriter IOException InputStream InputStreamReader "
        "ObjectInputStream ObjectOutputStream OutputStream OutputStreamWriter PrintStream PrintWriter "
        "PushbackReader Reader Serializable StringReader StringWriter UncheckedIOException Writer"
    ),
    "java.util.function": words_of(
        "BiConsumer BiFunction BinaryOperator BiPredicate BooleanSupplier Consumer Function IntFunction "
        "IntPredicate IntUnaryOperator Predicate Supplier ToDoubleFunction ToIntFunction ToLongFunction "
        "UnaryOperator"
    ),
    "java.util.stream": words_of("Collector Collectors DoubleStream IntStream LongStream Stream StreamSupport"),
    "java.math": words_of("BigDecimal BigInteger MathContext RoundingMode"),
}
"""What star imports give, as far as it is known."""
