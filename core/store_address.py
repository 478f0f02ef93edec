"""Where an object store is and how it is reached: what its URL and the environment say, looked at before any request.

pyarrow's S3 client heeds neither AWS_ENDPOINT_URL nor the variables of proxies and certificates; here they count.
"""

from __future__ import annotations

import configparser
import os
import re
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_ENDPOINT = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_KEY, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
_OPTIONS = {"region", "scheme", "endpoint_override", "tls_ca_file_path", "force_virtual_addressing"}
_NO_URLS = (
    (r"s3[an]://", "write s3:// in its place"),
    (r"(s3|gs|gcs):/*", "it is s3://bucket/folder or gs://bucket/folder"),
    (r"arn:", "write s3://bucket/folder"),
    (r"https?://", "write s3://bucket/folder; another store's address goes into AWS_ENDPOINT_URL"),
)


def join_url(url: str, *parts: str) -> str:
    """A path below a URL or path; what the URL says behind `?` stays at its end."""
    address, question, options = url.partition("?") if "://" in url else (url, "", "")
    return "/".join([address.rstrip("/"), *parts]) + question + options


def shown_url(url: str) -> str:
    """A URL as people are told it: without the key and the options that it may hold. A path stays as it is."""
    scheme, found, address = url.partition("://")
    return f"{scheme}://{address.partition('?')[0].rpartition('@')[2]}" if found else url


def check_folder(url: str) -> None:
    """Refuse what was meant as an object store's URL and is none: it would be taken for a path or a strange scheme.

    Raises:
        ValueError: with the form that is right.
    """
    if url.startswith(("s3://", "gs://", "gcs://")):
        return
    for form, mend in _NO_URLS:
        if re.match(form, url, re.IGNORECASE):
            raise ValueError(f"{shown_url(url)} is no URL of a folder in an object store; {mend}")


def s3_address(url: str) -> tuple[dict[str, Any], str]:
    """What an `s3://` URL and the environment say: options of `pyarrow.fs.S3FileSystem`, and the path in the store.

    Raises:
        ValueError: the URL, or a variable, cannot be right; it is named.
    """
    parts, shown = urlsplit(url), shown_url(url)
    bucket = parts.netloc.rpartition("@")[2]
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "#" in url:
        raise ValueError(f"{shown} holds a #, behind which a URL has no path; write %23, or take another name")
    if odd := next((letter for letter in url if not letter.isprintable()), None):
        raise ValueError(f"{shown!r} holds {odd!r}, which a URL cannot; take another name")
    if not bucket:
        raise ValueError(f"{shown} names no bucket; it is s3://bucket/folder")
    if ":" in bucket:
        raise ValueError(f"{shown} names a port; another store's address goes into AWS_ENDPOINT_URL, or behind the "
                         "folder: ?endpoint_override=host:9000&scheme=http")  # fmt: skip
    if unknown := sorted(set(options) - _OPTIONS):
        raise ValueError(f"{shown}: {unknown[0]} is no option here; these are: {', '.join(sorted(_OPTIONS))}")
    if empty := [name for name, value in options.items() if not value]:
        raise ValueError(f"{shown}: the option {empty[0]} is empty")
    if (scheme := options.get("scheme", "https")) not in ("http", "https"):
        raise ValueError(f"{shown}: scheme is {scheme!r}; it is http or https")
    folders = [unquote(each) for each in parts.path.split("/") if each]
    if {".", ".."} & set(folders):
        raise ValueError(f"{shown} holds a part . or .., which an object store does not know; write the whole path")
    if "endpoint_override" not in options:
        options |= _endpoint(os.environ) | options
    if parts.username:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password or "")}
    else:
        _check_key(os.environ)
    options["force_virtual_addressing"] = str(options.get("force_virtual_addressing")).lower() == "true"
    return _trust(os.environ) | _proxy(options) | options, "/".join([bucket, *folders])


def _endpoint(environment: Mapping[str, str]) -> dict[str, Any]:
    """Scheme and address of another store than AWS's own."""
    for name in _ENDPOINT:
        if value := environment.get(name, "").strip():
            scheme, found, address = value.rpartition("://")
            address = address.rstrip("/")
            if (found and scheme.lower() not in ("http", "https")) or not address or re.search(r"[@\s?#]", address):
                raise ValueError(f"{name} is no address of a store; it is https://host:port (keys have variables of "
                                 "their own)")  # fmt: skip
            return {"scheme": scheme.lower() or "https", "endpoint_override": address}
    return {}


def _check_key(environment: Mapping[str, str]) -> None:
    """Refuse a key that cannot be one: without its secret the store would be asked as a stranger."""
    key, secret = (environment.get(name, "") for name in (_KEY, _SECRET))
    if bool(key) != bool(secret):
        there, missing = (_KEY, _SECRET) if key else (_SECRET, _KEY)
        raise ValueError(f"{there} is set and {missing} is not; set both, or neither")
    for name in (_KEY, _SECRET, "AWS_SESSION_TOKEN"):
        value = environment.get(name, "")
        if value != value.strip():
            raise ValueError(f"{name} begins or ends with white space; set it again without")
    profile = environment.get("AWS_PROFILE", "")
    if profile and not key and profile not in (known := _profiles(environment)):
        names = ", ".join(sorted(known)) or "none"
        raise ValueError(f"AWS_PROFILE names {profile!r}, which ~/.aws does not have (there: {names}); correct it, or "
                         f"set {_KEY} and {_SECRET}")  # fmt: skip


def _profiles(environment: Mapping[str, str]) -> set[str]:
    """Names of the profiles in AWS's two files."""
    found: set[str] = set()
    for name, file in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        try:
            parser.read_string(Path(environment.get(name) or f"~/.aws/{file}").expanduser().read_text())
        except (OSError, ValueError, configparser.Error):
            continue
        found |= {section.removeprefix("profile ").strip() for section in parser.sections()}
    return found


def _trust(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file of certificates that AWS_CA_BUNDLE names."""
    path = environment.get("AWS_CA_BUNDLE", "").strip()
    if path and not Path(path).is_file():
        raise ValueError(f"AWS_CA_BUNDLE names {path}, which is no file on this machine")
    return {"tls_ca_file_path": path} if path else {}


def _proxy(options: Mapping[str, Any]) -> dict[str, Any]:
    """The proxy that HTTPS_PROXY (HTTP_PROXY for plain HTTP) names, unless NO_PROXY names the store."""
    host = str(options.get("endpoint_override", "s3.amazonaws.com"))
    scheme = str(options.get("scheme", "https"))
    proxy = urllib.request.getproxies().get(scheme)
    if not proxy or urllib.request.proxy_bypass(host.partition("/")[0]):
        return {}
    return {"proxy_options": proxy if "://" in proxy else f"http://{proxy}"}
