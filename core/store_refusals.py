"""What an object store refused, in one line that names the setting to change."""

from __future__ import annotations

import os
import re

NO_REASON = "refused without a reason"
UNKNOWN_REQUEST = "it does not know this kind of request"
GONE = "there is no such file"
NO_STORE = "what answers is no S3 store, or hides the bucket"

_AGAIN = "run the same command again: finished work is kept"
_NO_TRAILERS = "AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
_TRAILERS = "MissingContentLength|aws-chunked|TRAILER|[Uu]nsupported header|x-amz-(?:sdk-)?checksum|x-amz-trailer"
"""What stores say that know no checksum at an upload's end."""
_REFUSALS = (
    (r"curlCode: (?:51|58|60|77|83|90)\b", "its certificate is not trusted",
     "name the file of your own CA by AWS_CA_BUNDLE, or tls_ca_file_path in the URL"),
    (r"curlCode: 35\b", "it speaks no TLS, or a version that is too old",
     "write http:// in AWS_ENDPOINT_URL, or scheme=http in the URL, if it speaks plain HTTP"),
    (r"HTTP status 407|CONNECT tunnel failed", "the proxy in between refuses",
     "set HTTPS_PROXY to http://user:password@host:port, or name the store's host in NO_PROXY"),
    (r"curlCode: (?:47|65)\b", "it sends to other addresses",
     "set AWS_REGION, and check AWS_ENDPOINT_URL and a proxy in between that wants you to sign in"),
    (r"NETWORK_CONNECTION|CONNECTION_TIMEOUT|Couldn't resolve host|curlCode", "it does not answer",
     "check the network, and AWS_ENDPOINT_URL or endpoint_override in the URL where you set one"),
    (r"XML_\w*ERROR", "what it answered is cut off or no XML",
     "check the network, a proxy in between, and AWS_ENDPOINT_URL; then run the same command again"),
    (r"InvalidObjectState|INVALID_OBJECT_STATE|storage class|access tier", "the file is in an archive",
     "restore it in the store, then run again"),
    (r"QuotaExceeded|StorageFull|HTTP status 507", "no room left for it",
     "free some, or have the quota raised, and run the same command again: finished work is kept"),
    (r"HTTP status 413|EntityTooLarge", "too large for the store or a proxy in between",
     "have its limit for one request raised to 20 MB or more"),
    (rf"HTTP status 501|NotImplemented|NOT_IMPLEMENTED|HTTP status 41[17]|{_TRAILERS}", UNKNOWN_REQUEST,
     f"set {_NO_TRAILERS} here and on the cluster's nodes, or take another store"),
    (r"HTTP status 412|PreconditionFailed", "it was changed meanwhile, or the bucket asks for a condition",
     f"see that no other job writes there, look at the bucket's policy, and {_AGAIN}"),
    (r"InvalidRange|HTTP status 416", "it has become shorter while it was read, at every try",
     f"see that nobody writes it, and {_AGAIN}"),
    (r"NO_SUCH_KEY|NoSuchKey", GONE, f"put it back, and {_AGAIN}"),
    (r"Response checksums mismatch", "what came here has another checksum than the store keeps, at every try",
     f"check the network and a proxy in between, and {_AGAIN}"),
    (r"BadDigest|BAD_DIGEST|SHA256Mismatch|InvalidDigest|ChecksumMismatch|IncompleteBody",
     "what came there was not what was sent, at every try",
     f"check the network and a proxy in between, set {_NO_TRAILERS} if the store is not AWS's, and {_AGAIN}"),
    (r"NO_SUCH_UPLOAD|NoSuchUpload|InvalidPart|EntityTooSmall", "the upload was ended by somebody else, at every try",
     f"let the bucket's lifecycle rule leave unfinished uploads for a day, and {_AGAIN}"),
    (r"SLOW_?DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|THROTTLING|REQUEST_TIMEOUT|HTTP status (?:409|429|50\d)",
     "it was busy at every try", "run the same command again later: finished work is kept"),
    (r"AccountProblem|AllAccessDisabled|NotSignedUp|OptInRequired", "the account may not use it",
     "ask whoever keeps the store's account"),
    (r"KMS\.", "the key that encrypts the bucket cannot be used",
     "enable it, or give the key of AWS_ACCESS_KEY_ID the rights kms:Decrypt and kms:GenerateDataKey"),
    (r"EXPIRED_?TOKEN|ExpiredToken|TokenRefreshRequired", "the session token has expired",
     f"renew AWS_SESSION_TOKEN (or the profile of AWS_PROFILE) and {_AGAIN}"),
    (r"INVALID_ACCESS_KEY|InvalidAccessKey|UNRECOGNIZED_CLIENT|INVALID_CLIENT_TOKEN|InvalidToken|MISSING_AUTHENTICATION",
     "it does not know the key", "set AWS_ACCESS_KEY_ID, and AWS_SESSION_TOKEN if the key is temporary"),
    (r"SIGNATURE_DOES_NOT_MATCH|SignatureDoesNotMatch|INVALID_SIGNATURE|INCOMPLETE_SIGNATURE",
     "the secret does not belong to the key",
     f"set AWS_SECRET_ACCESS_KEY, or {_NO_TRAILERS} if the store is not AWS's and refuses only what is written"),
    (r"REQUEST_TIME_TOO_SKEWED|RequestTimeTooSkewed|REQUEST_EXPIRED|difference between the request time",
     "this machine's clock is off",
     "set the clock: the store takes 15 minutes of difference"),
    (r"AuthorizationHeaderMalformed|PermanentRedirect|TemporaryRedirect|IllegalLocationConstraint|HTTP status 30[17]",
     "the bucket is in another region", "set AWS_REGION, or ?region=NAME in the URL"),
    (r"NO_SUCH_BUCKET|NoSuchBucket|[Bb]ucket not found",
     "there is no such bucket", "create it, or correct the URL"),
    (r"InvalidBucketName|INVALID_BUCKET_NAME", "no bucket can have this name", "correct the URL"),
    (r"KeyTooLong", "the name is too long", "take a shorter --run-dir"),
    (r"RESOURCE_NOT_FOUND|METHOD_NOT_ALLOWED|HTTP status 40[45]", NO_STORE,
     "correct the URL, or AWS_ENDPOINT_URL where you set one"),
    (r"No credentials|NoCredentials|Unable to (?:locate|load) credentials", "no key was found",
     "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"),
)  # fmt: skip
_RIGHTS = {
    "Put": "s3:PutObject", "Upload": "s3:PutObject", "Multipart": "s3:PutObject", "List": "s3:ListBucket",
    "Get": "s3:GetObject", "Delete": "s3:DeleteObject",
    "Copy": "s3:GetObject and s3:PutObject",
}  # fmt: skip


def explain(said: str) -> str | None:
    """One line for what an object store refused, with the setting to change; None where it is no store's refusal.

    Args:
        said: text of the `OSError` that pyarrow raised.
    """
    if said.startswith("s3://") or not re.search("AWS Error|[Bb]ucket '[^']*' not found", said):
        return None
    where, operation = where_of(said), re.search(r"during (\w+) operation", said)
    done = operation[1] if operation else ""
    words = re.sub(r"(key|bucket) '[^']*'", r"\1", said)  # a name may hold any of the words that are looked for
    if re.search(r"No response body|operation: *$", said) and re.search(r"ACCESS_DENIED|HTTP status 40[03]", said):
        # Nothing else is known: a store answers HEAD without a text.
        return (f"{where}: {NO_REASON}; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is wrong or "
                "expired, AWS_REGION is another, s3:GetObject or s3:ListBucket is missing, or AWS_ENDPOINT_URL, where "
                "you set one, is no store's")  # fmt: skip
    denied = re.search(r"ACCESS_DENIED|AccessDenied", words)
    if denied and re.search(r"object lock|WORM|retention|legal hold", words, re.IGNORECASE):
        return f"{where}: the bucket keeps every file for a time; take one without object lock and retention"
    for pattern, what, mend in () if denied else _REFUSALS:
        if re.search(pattern, words):
            return f"{where}: {what}; {mend}"
    if denied or "HTTP status 403" in words:
        named = re.search(r"not authorized to perform: ([\w:]+)", words)
        right = named[1] if named else next((right for start, right in _RIGHTS.items() if start in done), "for it")
        return f"{where}: {who_asks()} lacks the right {right} ({done})"
    return f"{where}: the store refuses: {_told(words)}"


def who_asks() -> str:
    """Whose rights a refusal is about, as far as the environment tells."""
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return "the key of AWS_ACCESS_KEY_ID"
    if os.environ.get("AWS_PROFILE"):
        return "the profile of AWS_PROFILE"
    return "AWS_ACCESS_KEY_ID and AWS_PROFILE are not set, and this machine's role, if it has one,"


def where_of(said: str) -> str:
    """The file, folder or bucket that an error of pyarrow names."""
    key, bucket = re.search(r"key '([^']*)'", said), re.search(r"bucket '([^']*)'", said)
    if key and bucket:
        return f"s3://{bucket[1]}/{key[1]}"
    return f"s3://{bucket[1]}" if bucket else "the object store"


def _told(words: str) -> str:
    """The store's own words, without those of the client around them."""
    status = re.search(r"HTTP status (\d+)", words)
    name = re.search(r"ExceptionName: (\S+)", words)
    text = re.search(r"operation: (?:Unable to parse ExceptionName: \S+ Message: )?(.*?)(?: \(Request ID|$)",
                     " ".join(words.split()))  # fmt: skip
    found = [name[1] if name else "", text[1] if text else "", f"(HTTP status {status[1]})" if status else ""]
    return " ".join(each for each in found if each)[:300] or " ".join(words.split())[:300]
