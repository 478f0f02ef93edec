"""What hosted endpoints refuse, by their published rules, as a function from a request to its refusal or None.

Each is written from the documents that `serve/client/presets.yaml` names, and shares nothing with the client's code.
"""

from tests.scripted_teacher import Reply, refusal

COMMON = {"model", "messages", "response_format", "stop", "n", "stream", "top_p"}


def unknown(body: dict, known: set[str], **error: object) -> Reply | None:
    for name in body:
        if name not in known:
            return refusal(400, f"Unrecognized request argument supplied: {name}", param=name, **error)
    return None


def strict_schema(schema: dict, keywords: set[str], where: str = "root") -> str:
    """Why a schema is none of strict structured outputs; empty where it is one."""
    for name, value in schema.items():
        if name not in keywords:
            return f"In context=({where}), '{name}' is not permitted."
        if name == "properties":
            for key, inner in value.items():
                if found := strict_schema(inner, keywords, key):
                    return found
        if name == "items" and (found := strict_schema(value, keywords, where)):
            return found
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"In context=({where}), 'additionalProperties' is required to be supplied and to be false."
        if set(schema.get("required", ())) != set(schema["properties"]):
            return f"In context=({where}), 'required' must include every key in properties."
    return ""


STRICT = {"type", "properties", "required", "additionalProperties", "items", "enum", "anyOf", "const", "description"}


def openai_reasoning(body: dict, headers: dict) -> Reply | None:
    """A reasoning model of OpenAI's on chat completions."""
    if "max_tokens" in body:
        return refusal(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                            "'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter")  # fmt: skip
    if body.get("temperature", 1) != 1:
        return refusal(400, "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) "
                            "value is supported.", param="temperature", code="unsupported_value")  # fmt: skip
    if "stop" in body:
        return refusal(400, "Unsupported parameter: 'stop' is not supported with this model.", param="stop",
                       code="unsupported_parameter")  # fmt: skip
    form = body.get("response_format", {}).get("json_schema", {})
    if form.get("strict") and (why := strict_schema(form["schema"], STRICT)):
        return refusal(400, f"Invalid schema for response_format 'answer': {why}", param="response_format", code=None)
    return unknown(body, COMMON | {"max_completion_tokens", "temperature", "seed", "reasoning_effort"})


def azure(body: dict, headers: dict) -> Reply | None:
    """The same behind Azure, which wants its own header."""
    if "Api-Key" not in {name.title() for name in headers}:
        return refusal(401, "Access denied due to missing subscription key")
    return openai_reasoning(body, headers)


def anthropic(body: dict, headers: dict) -> Reply | None:
    """Anthropic's Messages API."""
    said = {name.lower(): value for name, value in headers.items()}

    def bad(message: str) -> Reply:
        return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": message}}, {}

    if "x-api-key" not in said or "anthropic-version" not in said:
        return (
            401,
            {"type": "error", "error": {"type": "authentication_error", "message": "x-api-key header is required"}},
            {},
        )
    if "max_tokens" not in body:
        return bad("max_tokens: Field required")
    for name in body:
        if name not in {
            "model",
            "max_tokens",
            "messages",
            "system",
            "stop_sequences",
            "output_config",
            "thinking",
            "metadata",
        }:
            return bad(f"{name}: Extra inputs are not permitted")
    if any(one["role"] not in {"user", "assistant"} for one in body["messages"]):
        return bad('messages: Unexpected role "system". Use the top-level `system` parameter.')
    marked = str(body).count("cache_control")
    if marked > 4:
        return bad("A maximum of 4 blocks with cache_control may be provided.")
    form = body.get("output_config", {}).get("format")
    if form and (why := strict_schema(form["schema"], STRICT | {"default", "format", "allOf"})):
        return bad(f"output_config.format.schema: {why}")
    return None


def deepseek(body: dict, headers: dict) -> Reply | None:
    """DeepSeek: any JSON object, no schema; the word must stand in the prompt."""
    kind = body.get("response_format", {}).get("type")
    if kind == "json_schema":
        return refusal(400, "This response_format type is unavailable now", type="invalid_request_error")
    if kind == "json_object" and "json" not in str(body["messages"]).lower():
        return refusal(400, "Prompt must contain the word 'json' in some form to use 'response_format'")
    return None


def mistral(body: dict, headers: dict) -> Reply | None:
    """Mistral: fields that it does not know are a 422 of FastAPI's form."""
    for name in body:
        if name not in COMMON | {"max_tokens", "temperature", "random_seed"}:
            detail = [
                {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 1}
            ]
            return 422, {"object": "error", "message": {"detail": detail}, "type": "invalid_request_error"}, {}
    return None


def gemini(body: dict, headers: dict) -> Reply | None:
    """Gemini's OpenAI-compatible endpoint: errors in a list."""

    def bad(message: str) -> Reply:
        return 400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}], {}

    if "seed" in body:
        return bad('Invalid JSON payload received. Unknown name "seed": Cannot find field.')
    form = body.get("response_format", {}).get("json_schema", {}).get("schema")
    known = STRICT - {"const"} | {"title", "format", "minimum", "maximum", "minItems", "maxItems"}
    if form and (why := strict_schema(form, known)):
        return bad(f"Invalid JSON payload received: response_format: {why}")
    return None


def tgi(body: dict, headers: dict) -> Reply | None:
    """text-generation-inference: a schema as `value`, and no temperature of 0."""
    if "response_format" in body and "value" not in body["response_format"]:
        column = len(str(body))
        words = f"Failed to deserialize the JSON body into the target type: response_format: missing field `value` at line 1 column {column}"
        return 422, words, {}
    if not body.get("temperature", 1.0) > 0:
        return (
            422,
            {"error": "Input validation error: `temperature` must be strictly positive", "error_type": "validation"},
            {},
        )
    return None


def old_server(body: dict, headers: dict) -> Reply | None:
    """A small server of somebody's: plain completions, no structured output, no system, errors as text."""
    if any(one["role"] == "system" for one in body["messages"]):
        return 400, {"detail": "the system role is not supported by this model's template"}, {}
    if "response_format" in body:
        return 400, {"detail": "response_format is not supported"}, {}
    if "seed" in body:
        return (
            422,
            {"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted", "type": "value_error.extra"}]},
            {},
        )
    return None


def schema_server(body: dict, headers: dict) -> Reply | None:
    """A server whose grammar knows no limits of length."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    if "maxLength" in str(schema):
        return refusal(400, "Grammar error: maxLength is not implemented for strings")
    return None
