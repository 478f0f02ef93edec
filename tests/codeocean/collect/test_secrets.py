"""Secrets of every kind are found, ordinary code is left alone."""

import base64

import pytest

from codeocean.collect.secrets import RULES, has_secret

# Assembled here, so that no scanner takes this file for a leak.
SECRETS = [
    "key = 'AKIA" + "Q3EGRVLW7JKD2MN4'",
    "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_" + "m" * 59,
    "glpat-" + "x1Y2z3A4b5C6d7E8f9G0",
    "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZabcdefgh",
    "https://hooks.slack.com/services/T" + "00AB12CD/B00AB12CD/aBcDeFgHiJkLmNoPqRsTuVwX",
    "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0bu\n",
    '"-----BEGIN PRIVATE' + ' KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\\n"',
    "-----BEGIN OPENSSH PRIVATE" + " KEY-----\n    b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA\n",
    "eyJ" + "hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "client_secret = '" + "q8Zr5TnW2xVb7KpL9sDf3GhJ'",
    '"password": "' + 'G7k2Pq9ZxW4vR8tLm3Ns6Yb"',
    "api_key := \"" + "9f86d081884c7d659a2feaa0c55ad015\"",
    "SECRET_KEY = '" + "django-insecure-8#k)v2@w!x0q$z7m5^t3p9c&r1j6" + "'",
    'secret_key: "' + "hT7vQ2mZ9xK4wB6nR8cL" + '"',
    "aws_secret_key='" + "wJ8rXUtn5EMI+K7MDE0g" + "bPxRfiCY2zKE9wQ4LmNb" + "'",
    "AWS_SECRET_ACCESS_KEY = \"" + "wJ8rXUtn5EMI/K7MDE0g" + "bPxRfiCY2zKE9wQ4LmNb" + "\"",
    'os.environ["DB_PASSWORD"] = "' + "Vt9#qLz!27w" + '"',
    "password='" + "g7Kp2Qx9" + "'",
    "pwd: '" + "Winter#2031" + "'",
    "connect('postgres://app:" + "k7Qz2xLp9w" + "@db.internal/main')",
    "glpat-" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD" + ".01.0w1x2y3z4",
    "xapp-" + "1-A01BCDEF2GH-1234567890123-" + "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978",
    "sk-svcacct-" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5Gj0Ks_" * 2,
    "sk-" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5Gj0KsAyEuIoO2pLmNbVcXzQ"[:48],
    "-----BEGIN RSA PRIVATE" + " KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,3F17F5316E2BAC89\n\nMIIEpAIBAAKCAQEA1c7+9z5P\n",
    "GOCSPX-" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5Gj", "bot 512345678:" + "AAq7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5Gj0KsAy",
    "AccountKey=" + "q7Wk2Lr9Tz" * 8 + "4Xn6Vb==", "3f17f5316e2bac89" * 2 + "-us12", "NRAK-" + "Q7WK2LR9TZ4XN6VB8MC1PD3FH5G",
    "gsk_" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5" * 2, "xai-" + "q7Wk2Lr9Tz4Xn6Vb8Mc1" * 4, "r8_" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5Gj0KsAyEuIo",
    "tskey-" + "auth-kQ7Wk2Lr9TzCNTRL-4Xn6Vb8Mc1Pd3Fh5Gj0KsAyEu", "sbp_" + "3f17f5316e2bac89" * 2 + "01d4c6e7",
    "figd_" + "q7Wk2Lr9Tz4Xn6Vb8Mc1" * 2, "dckr_pat_" + "q7Wk2Lr9Tz4Xn6Vb8Mc1Pd3Fh5G", "ATATT3" + "xFfGF0q7Wk2Lr9Tz4X" * 10 + "=1A2B",
    "AAAAq7Wk2Lr:" + "APA91b" + "q7Wk2Lr9Tz4Xn6Vb8Mc1" * 6, "key-" + "3f17f5316e2bac8901d4c6e7a8b9f0c2",
    "api_key = '" + "3f17f531-6e2b-4c89-81d4-c6e7a8b9f0c2" + "'",
    "dop_v1_" + "3f17f5316e2bac89" * 4, "shpat_" + "3f17f5316e2bac8901d4c6e7a8b9f0c2", "rubygems_" + "3f17f5316e2bac89" * 3,
]  # fmt: skip

INNOCENT = [
    "pwd = '/home/User1/Project-X/src'", "private_key: PKCS7PrivateKeyTypesOfAll", "Token : System.IdentityModel.Tokens.X509SecurityToken",
    "key-value pairs", "client_secret = '00000000-0000-0000-0000-000000000000'", "auth=('user', 'password_of_user1')",
    "api_key: ApiKeyHeaderV2Configuration", "x-api-key: the key that was given", "session_token = 'SessionTokenOfUser2'",
    "digest-usages of 3f17f5316e2bac89", "login('admin', 'AdminPassword1')", "request_token_key = 'oauth_request_token_2'",
    "password = getpass.getpass('Password: ')",
    "api_key = os.environ['OPENAI_API_KEY_FOR_TESTS_2024']",
    "secret_key = 'your-secret-key-goes-here-1A'",
    "key = 'AKIAIOSFODNN7EXAMPLE'",
    "if line.startswith('-----BEGIN PRIVATE KEY-----'): return read_until('-----END PRIVATE KEY-----')",
    "token = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
    "ACCESS_KEY = 'com.example.keys.AccessKeyProvider'",
    "digest = '9f86d081884c7d659a2feaa0c55ad0153a2b1c4d'",
    "passwd: '/etc/security/passwd_file_2'",
    "task-based, risk-adjusted",
    "password = 'passwordField1'", "secret_key = 'settings.SECRET_KEY_2'", "pwd = '/home/User1/work'",
    "password: '${DB_PASSWORD_1a}'", "'password': '%(Password1)s'", "token = 'getAccessTokenFromS3'",
    "password = r'^(?=.*[A-Z])\\d+$'", "api_key = 'XXXXXXXXXXXXXXXXXXXX'", "http://user:password@example.com/",
    "xapp-level tokens begin so", "password_hasher = 'PBKDF2Sha256Hasher'", "password = 'MyP4ssw0rd!'",
    "password_hash = '$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW'", "password = hash+Salt1;",
    "setField('secret_key', 'settings.SecretKey2')", "password(config.Db2.Pass_1);", "const API_KEY: &str = env!('API_KEY_V2');", "def f(password='Password'): pass",
    'setSecret("loadTheBridge2Now()")', 'curl[PWD] = "$pair[0]:$pair[1]X"', "sign('secret', 'a=1%2C2&b=3%2B4')", "$pwd = \"$this->User1:2\";",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS, ids=lambda text: text[:12])
def test_a_secret_is_found_wherever_it_stands(text):
    assert has_secret(text)
    assert has_secret(f"def f():\n    x = ('{text}')\n    return x\n")


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_speaks_of_secrets_is_none(text):
    assert not has_secret(text)


TOKEN = "q7Wk2Lr9Tz4Xn6Vb" + "8Mc1Pd3Fh5Gj0KsAyEuI"
PASSWORD = "uV4#mq" + "Rz81!t"
SYNTAXES = [
    'aws_secret_key = """{token}"""', "os.environ.setdefault('DB_PASSWORD', '{password}')", "SECRET_KEY = (\n    '{token}'\n)",
    "PASSWORD = \\\n    '{password}'", "setattr(settings, 'SECRET_KEY', '{token}')", "DB_PASS = '{password}'",
    "process.env.SECRET_KEY = `{token}`;", "const client_secret = process.env.X || '{token}';",
    "private readonly apiToken: string = '{token}';", "password?: string = '{password}'",
    'props.setProperty("db.password", "{password}");', 'builder.withPassword("{password}")', "secretKey := `{token}`",
    'os.Setenv("API_TOKEN", "{token}")', 'var dbPassword string = "{password}"', "define('SECRET_KEY', '{token}');",
    "putenv('AWS_SECRET_ACCESS_KEY={token}');", "config.secret_key_base = '{token}'", "ENV['SECRET_KEY'] ||= '{token}'",
    "password: %q({password})", '#define API_KEY "{token}"', 'char secret_key[] = "{token}";',
    'const char kSecretKey[41] = "{token}";', 'std::string apiKey{{"{token}"}};', 'std::string password("{password}");',
    'const std::string secretKey = R"({token})";', 'Password = @"{password}",', 'var secretKey = $"{token}";',
    '"Server=db;User Id=sa;Password={password};"', 'public string ClientSecret {{ get; set; }} = "{token}";',
    'const SECRET_KEY: &str = "{token}";', 'let api_key = String::from("{token}");',
    "static PASSWORD: &'static str = \"{password}\";", 'const API_KEY: &[u8] = b"{token}";',
    'let secret_key = r#"{token}"#;', "redis://:q7Wk2Lr9Tz@cache.internal:6379/0",
    "const key = process.env.API_KEY || '{token}';", "os.environ['SECRET_KEY'] ?? '{token}'", "export API_TOKEN={token}",
    "#   api_key: {token}", "curl -H 'X-Api-Key: {token}' https://api.internal", "PRIVATE_TOKEN = '{token}'",
    "requests.get(url, auth=('admin', '{password}'))", "HTTPBasicAuth('admin', '{password}')", "smtp.login('me', '{password}')",
    'DriverManager.getConnection(url, "root", "{password}")',
]  # fmt: skip
"""How the eleven languages give a value to a name."""


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_secret_is_found_in_the_syntax_of_each_language(syntax):
    assert has_secret(syntax.format(token=TOKEN, password=PASSWORD))
    innocent = syntax.format(token="settings.sessionStore", password="choosePassword1")
    assert "://" in syntax or not has_secret(innocent)


HEADERS = [
    "headers = {{'Authorization': 'Bearer {token}'}}", 'curl -H "Authorization: Bearer {token}" https://api.internal/v2',
    'req.Header.Set("Authorization", "Bearer {token}")', "f'authorization: bearer {token}\r\n'", "?auth=Bearer%20{token}",
    "'Authorization': 'Basic {basic}'", 'request.setHeader("Authorization", "BASIC {basic}");',
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_a_token_or_password_in_a_header_is_a_secret(header):
    def with_values(token, password):
        return header.format(token=token, basic=base64.b64encode(f"service:{password}".encode()).decode())

    assert has_secret(with_values(TOKEN, PASSWORD))
    assert not has_secret(with_values("authenticationRequired", "password"))


@pytest.mark.parametrize("text", [
    "the bearer of this certificate", "Bearer token authentication", "'Bearer ' + accessTokenOf(user2)", "Bearer ${TOKEN_2}",
    "Bearer YOUR_ACCESS_TOKEN_1", "a basic configuration of Widgets2", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Bearer mF_9.B5f-4.1JqM",
])  # fmt: skip
def test_what_only_speaks_of_headers_is_none(text):
    assert not has_secret(text)


def test_the_rules_of_others_are_all_in_use():
    assert len(RULES) > 100
    assert all(keyword == keyword.lower() for rule in RULES for keyword in rule.keywords)
