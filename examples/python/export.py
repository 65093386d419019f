"""A backend service in Python: it knows a FHIR base URL, registers itself, obtains a token
with SMART Backend Services and runs a bulk export. It needs the cryptography package.

    python3 python/export.py http://127.0.0.1:8080/fhir
"""

import base64
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384

KEY_ID = "example-key"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64_int(n: int) -> str:
    return b64(n.to_bytes((n.bit_length() + 7) // 8, "big"))


def call(url: str, data: bytes | None = None, **headers: str):
    """Sends a request. Where the server refuses, its own words say why."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, data, headers))
    except urllib.error.HTTPError as refusal:
        sys.exit(f"{url}: {refusal.code} {refusal.reason}: {refusal.read().decode().rstrip()}")
    except (OSError, ValueError) as failure:
        sys.exit(f"{url}: {getattr(failure, 'reason', failure)}")


def discover(fhir: str) -> dict:
    """Everything else is found from the FHIR base URL."""
    return json.load(call(fhir + "/.well-known/smart-configuration", Accept="application/json"))


def register(smart: dict, key: rsa.RSAPrivateKey) -> str:
    """Registers a client (RFC 7591) and returns its id. The server gets the public key only."""
    public = key.public_key().public_numbers()
    jwk = {
        "kty": "RSA", "alg": "RS384", "use": "sig", "kid": KEY_ID,
        "n": b64_int(public.n), "e": b64_int(public.e),
    }
    metadata = {
        "client_name": "Python example",
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"],
        "scope": "system/*.rs",
        "jwks": {"keys": [jwk]},
    }
    answer = call(smart["registration_endpoint"], json.dumps(metadata).encode(),
                  Content_Type="application/json")
    return json.load(answer)["client_id"]


def assertion(client_id: str, audience: str, key: rsa.RSAPrivateKey) -> str:
    """Returns a JWT of a few minutes. Every token request needs a new one."""
    header = {"alg": "RS384", "typ": "JWT", "kid": KEY_ID}
    claims = {
        "iss": client_id, "sub": client_id, "aud": audience,
        "exp": int(time.time()) + 240, "jti": str(uuid.uuid4()),
    }
    signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return signed + "." + b64(key.sign(signed.encode(), padding.PKCS1v15(), SHA384()))


def obtain_token(smart: dict, client_id: str, key: rsa.RSAPrivateKey) -> str:
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.rs",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(client_id, smart["token_endpoint"], key),
    }
    answer = call(smart["token_endpoint"], urllib.parse.urlencode(form).encode(),
                  Content_Type="application/x-www-form-urlencoded")
    return json.load(answer)["access_token"]


def export(fhir: str, token: str) -> None:
    """Kicks an export off, asks until it is done, and counts the lines of its files.

    An export that outlives the token (expires_in, five minutes here) needs a new one on the way.
    """
    def get(url: str):
        return call(url, Authorization="Bearer " + token, Accept="application/fhir+json",
                    Prefer="respond-async")

    job = get(fhir + "/Patient/$export").headers["Content-Location"]
    while (answer := get(job)).status == 202:
        time.sleep(int(answer.headers["Retry-After"]))
    for file in json.load(answer)["output"]:
        with get(file["url"]) as lines:
            print(file["type"], sum(1 for _ in lines))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: export.py FHIR-BASE-URL")
    fhir = sys.argv[1]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    smart = discover(fhir)
    client_id = register(smart, key)
    export(fhir, obtain_token(smart, client_id, key))


if __name__ == "__main__":
    main()
