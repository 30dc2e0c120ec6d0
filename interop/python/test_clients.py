"""PyJWT, Authlib and requests-oauthlib against Cardea."""

import json
import os
import time
import unittest
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

with open(os.environ["WORLD"], encoding="utf-8") as f:
    WORLD = json.load(f)
BASE = WORLD["base"]
TOKEN = BASE + "/oauth/token"
REDIRECT = "http://127.0.0.1:4714/callback"


def agree(address):
    """Have a person open an address; return where they were sent in the end."""
    answer = requests.get(WORLD["browser"] + "/", params={"url": address}, timeout=60)
    answer.raise_for_status()
    return answer.text


def status(token):
    return requests.get(BASE + "/v1/things", headers={"Authorization": "Bearer " + token}, timeout=30).status_code


class PyJWT(unittest.TestCase):
    def setUp(self):
        client = WORLD["clients"]["machine"]
        answer = requests.post(TOKEN, timeout=30, data={
            "grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"],
            "scope": "read write",
        })
        self.token = answer.json()["access_token"]

    def test_local_validation_as_the_page_means_it(self):
        """The page's options, with the key from PyJWKClient: decode() takes no key set."""
        key = jwt.PyJWKClient(BASE + "/.well-known/jwks.json").get_signing_key_from_jwt(self.token).key
        claims = jwt.decode(self.token, key, algorithms=["RS256"], audience=BASE, issuer=BASE)
        self.assertEqual(claims["scope"], "read write")
        self.assertIsInstance(claims["aud"], str)
        with self.assertRaises(jwt.InvalidAudienceError):
            jwt.decode(self.token, key, algorithms=["RS256"], audience="https://else.example", issuer=BASE)
        with self.assertRaises(jwt.InvalidIssuerError):
            jwt.decode(self.token, key, algorithms=["RS256"], audience=BASE, issuer="https://else.example")

    def test_service_account_signs_for_itself(self):
        with open(WORLD["account_file"], encoding="utf-8") as f:
            account = json.load(f)
        now = int(time.time())
        claims = {"iss": account["issuer"], "sub": account["client_id"], "aud": account["audience"],
                  "iat": now, "exp": now + 600, "scope": "read"}
        headers = {"kid": account["key_id"]}
        token = jwt.encode(claims, account["private_key"], algorithm=account["algorithm"], headers=headers)
        self.assertEqual(status(token), 200)
        # and exchanges it for a token of Cardea's (RFC 7523)
        claims["aud"], claims["jti"] = BASE, os.urandom(16).hex()
        assertion = jwt.encode(claims, account["private_key"], algorithm=account["algorithm"], headers=headers)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        answer = requests.post(TOKEN, data=form, timeout=30)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(status(answer.json()["access_token"]), 200)
        self.assertEqual(requests.post(TOKEN, data=form, timeout=30).json()["error"], "invalid_grant")
        forged = jwt.encode(claims | {"exp": now + 86400}, account["private_key"], algorithm=account["algorithm"], headers=headers)
        self.assertEqual(status(forged), 401)


class RequestsOAuthlib(unittest.TestCase):
    def test_client_credentials(self):
        client = WORLD["clients"]["machine"]
        session = OAuth2Session(client=BackendApplicationClient(client_id=client["id"], scope=["read"]))
        token = session.fetch_token(TOKEN, client_id=client["id"], client_secret=client["secret"])
        self.assertEqual(token["scope"], ["read"])
        self.assertEqual(session.get(BASE + "/v1/things").status_code, 200)

    def test_authorization_code_and_refresh(self):
        client = WORLD["clients"]["confidential"]
        session = OAuth2Session(client["id"], redirect_uri=REDIRECT, scope=["read", "offline_access"], pkce="S256")
        address, _ = session.authorization_url(BASE + "/oauth/authorize")
        token = session.fetch_token(TOKEN, authorization_response=agree(address), client_secret=client["secret"])
        self.assertEqual(session.get(BASE + "/v1/things").status_code, 200)
        again = session.refresh_token(TOKEN, client_id=client["id"], client_secret=client["secret"])
        self.assertNotEqual(again["refresh_token"], token["refresh_token"])
        self.assertEqual(session.get(BASE + "/v1/things").status_code, 200)


class AuthlibClient(unittest.TestCase):
    def test_authorization_code_with_pkce_refresh_revoke_introspect(self):
        client = WORLD["clients"]["confidential"]
        session = Authlib(client["id"], client["secret"], scope="read offline_access", redirect_uri=REDIRECT,
                          code_challenge_method="S256", token_endpoint=TOKEN)
        verifier = os.urandom(32).hex()
        address, state = session.create_authorization_url(BASE + "/oauth/authorize", code_verifier=verifier)
        back = agree(address)
        self.assertEqual(parse_qs(urlsplit(back).query)["state"], [state])
        token = session.fetch_token(TOKEN, authorization_response=back, code_verifier=verifier)
        self.assertEqual(status(token["access_token"]), 200)
        token = session.refresh_token(TOKEN, refresh_token=token["refresh_token"])
        self.assertEqual(status(token["access_token"]), 200)
        seen = session.introspect_token(BASE + "/oauth/introspect", token=token["access_token"]).json()
        self.assertTrue(seen["active"])
        self.assertEqual(session.revoke_token(BASE + "/oauth/revoke", token=token["refresh_token"]).status_code, 200)
        self.assertEqual(status(token["access_token"]), 401)

    def test_client_credentials(self):
        client = WORLD["clients"]["machine"]
        session = Authlib(client["id"], client["secret"], scope="write", token_endpoint_auth_method="client_secret_post")
        token = session.fetch_token(TOKEN, grant_type="client_credentials")
        self.assertEqual(token["expires_in"], 3600)
        self.assertEqual(status(token["access_token"]), 200)


if __name__ == "__main__":
    unittest.main()
