#!/usr/bin/env python3
"""連携機関のシステムから tsunagu を使う最小の例 / The smallest honest client of an agency's own system.

何をするか:
  1. 自機関のキュー (AMQP) から「着信通知」を一つ受け取る。通知には番号だけが入り、個人情報は入らない。
  2. 職員番号を添えて送達を取りに行く (GET /v1/deliveries/{id})。閲覧の権限はこの時点で確かめられる。
     封緘した文書を AMQP で受ける機関は、自分の鍵で開ける (JWE, ECDH-ES)。
  3. 署名つきの項目一覧 (manifest) と、開示された塩から、文書のすべての項目のハッシュを確かめる。
  4. 受け取ったことを伝え (ack)、求められれば返書する (accept / decline)。
同じ通知が二度届いても害はない。message-id を控えておき、二度目は読み飛ばす。通知がなくなっても、
受信箱 (`inbox`) を見れば待っているものは必ず分かる。記録はいつもハブ側にある。

What it does: takes one doorbell from the agency's queue (ids only), fetches the delivery naming the member of staff
who opens it (or opens the sealed document that came along), checks every field of the document against the signed
manifest, acknowledges, and answers. A doubled doorbell is skipped by its message-id; a lost one costs only delay,
because the inbox is the truth. Everything it prints is one JSON object per line and holds no personal data; the
document itself goes to --out DIR, if given.

Try it:
  export TSUNAGU_SECRET=…
  partner.py --hub https://hub.example.jp --agency AGENCY --staff STAFF inbox
  partner.py --hub … --agency … --staff … take --amqp amqps://…/tsunagu --answer accept
  partner.py --hub … --agency … --staff … take --amqp … --key private.jwk        (sealed documents)
  partner.py new-key --key private.jwk                     makes that key and prints the half to register

Needs: Python 3.9, pika 1.4, joserfc 1.8 (scripts/requirements.txt).
Exit codes: 0 done · 1 the hub or the broker refused or could not be reached · 2 wrong use · 3 evidence does not hold
            · 4 nothing came in time
"""

import argparse
import base64
import hashlib
import json
import os
import ssl
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import warnings
from pathlib import Path

import pika
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

# The hub's receipts say `EdDSA` (RFC 8037), which every JOSE library knows; RFC 9864's newer name is not asked for.
warnings.filterwarnings("ignore", message="EdDSA is deprecated")

MANIFEST_TYPE = "tsunagu-manifest+jwt"
RECEIPT_TYPE = "tsunagu-receipt+jwt"
EVENT_TYPE = "tsunagu-event+jwt"
SEALED_TYPE = "application/jose"
# What a doorbell may say (CloudEvents `type`). Only the first asks for something to be taken.
WAITING, RECALLED = "jp.tsunagu.delivery.waiting.v1", "jp.tsunagu.delivery.recalled.v1"


class Refused(Exception):
    """The hub said no. What it says is meant to be shown: it never holds personal data."""


class Broken(Exception):
    """A signature or a digest does not hold: keep the document aside and call the hub's operator."""


def say(event, **facts):
    print(json.dumps({"event": event, **facts}, ensure_ascii=False), flush=True)


class Hub:
    """The hub's REST API as this client needs it."""

    def __init__(self, url, agency, secret, staff, ca=None):
        self.url, self.agency, self.secret, self.staff = url.rstrip("/"), agency, secret, staff
        self.tls = ssl.create_default_context(cafile=ca) if self.url.startswith("https:") else None
        self.token, self.token_ends = None, 0.0
        self.keys = None

    def send(self, method, path, body=None, headers=None):
        """One request; gives back (JSON or None, headers). A refusal becomes `Refused` with its title and mend."""
        request = urllib.request.Request(self.url + path, method=method, data=body, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {}
            said = " — ".join(problem[key] for key in ("title_en", "detail_en", "mend_en") if problem.get(key))
            raise Refused(f"{method} {path}: {error.code} {said or problem.get('title', '')}".rstrip()) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise Refused(f"{method} {path}: the hub cannot be reached: {error}") from None

    def bearer(self):
        """An access token, fetched anew shortly before the old one ends."""
        if time.monotonic() > self.token_ends:
            basic = base64.b64encode(f"{self.agency}:{self.secret}".encode()).decode()
            answer, _ = self.send("POST", "/v1/token", b"grant_type=client_credentials", {
                "Authorization": f"Basic {basic}",
                "Content-Type": "application/x-www-form-urlencoded",
            })
            self.token = answer["access_token"]
            self.token_ends = time.monotonic() + answer["expires_in"] * 0.8
        return self.token

    def get(self, path):
        return self.send("GET", path, None, {
            "Authorization": f"Bearer {self.bearer()}",
            "Accept": "application/json",
            # The member of staff who opens it. The hub writes down that this system said so (agency-asserted).
            "Tsunagu-Staff": self.staff,
        })

    def post(self, path, body, key, version=None):
        """`key` makes a repetition harmless: the same key gets the same answer, for ever."""
        headers = {
            "Authorization": f"Bearer {self.bearer()}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Tsunagu-Staff": self.staff,
        }
        if version is not None:
            headers["If-Match"] = version
        return self.send("POST", path, json.dumps(body, ensure_ascii=False).encode(), headers)[0]

    def receipt_keys(self):
        """The hub's keys for evidence, by id. Keys for tokens are another thing and verify nothing here."""
        if self.keys is None:
            published, _ = self.send("GET", "/.well-known/jwks.json")
            self.keys = {
                key["kid"]: OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key["x"]})
                for key in published["keys"]
                if key.get("tsunagu_use") == "receipt" and key.get("crv") == "Ed25519"
            }
        return self.keys

    def verified(self, text, kind):
        """The payload of a JWS of this `typ`, if the hub signed it."""
        head = text.split(".")[0]
        try:
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except ValueError:
            raise Broken("a signed text whose header cannot be read") from None
        if set(header) != {"alg", "kid", "typ"} or header["alg"] != "EdDSA" or header["typ"] != kind:
            raise Broken(f"a signed text that is no {kind}")
        key = self.receipt_keys().get(header["kid"])
        if key is None:
            raise Broken(f"the hub publishes no key {header['kid']!r}")
        try:
            return json.loads(jws.deserialize_compact(text, key, algorithms=["EdDSA"]).payload)
        except JoseError:
            raise Broken(f"the signature of a {kind} does not hold") from None


# --- the evidence -----------------------------------------------------------------------------------------------

def leaves(value, path=""):
    """Every text, number, truth value and null of a document, with its JSON pointer (RFC 6901)."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves(member, f"{path}/{index}")
    else:
        yield path, value


def canonical(value):
    """One leaf in the form of RFC 8785."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:
            value = int(value)
        else:
            mantissa, e, exponent = repr(value).partition("e")
            return (mantissa.removesuffix(".0") + (f"e{int(exponent):+d}" if e else "")).encode()
    return json.dumps(value, ensure_ascii=False).encode()


def field_digest(salt, path, value):
    name = path.encode()
    parts = b"tsunagu/field/v1\0", salt, struct.pack(">I", len(name)), name, canonical(value)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def check_document(hub, document, manifest_text, disclosures):
    """Every field of the document has to be in the signed manifest, with the digest its salt gives.

    Gives back how many fields hold. The other direction is no error: a field that the manifest lists may be held
    back by now, because rights are read at the moment of reading.
    """
    manifest = hub.verified(manifest_text, MANIFEST_TYPE)
    if manifest["leg"] != document["leg"]:
        raise Broken("the manifest belongs to another leg")
    signed = {field["path"]: field["d"] for field in manifest["fields"]}
    salts = {one["path"]: bytes.fromhex(one["salt"]) for one in disclosures}
    count = 0
    for path, value in leaves(document["content"]):
        # The notifier of a 通告 is sealed apart and opens for the duty desk alone; no manifest names it.
        if path.startswith("/notifier/"):
            continue
        if path not in signed or path not in salts:
            raise Broken(f"the field {path} stands in the document but not in the signed manifest")
        if field_digest(salts[path], path, value) != signed[path]:
            raise Broken(f"the field {path} is not what the hub signed")
        count += 1
    return count


def open_sealed(body, key_file):
    """What a sealed push holds (document, manifest, disclosures), opened with the agency's own private key."""
    if key_file is None:
        raise Refused("a sealed document came, but --key names no private key")
    data = json.loads(key_file.read_text())
    key = (OKPKey if data.get("kty") == "OKP" else ECKey).import_key(data)
    try:
        opened = jwe.decrypt_compact(body, key, algorithms=["ECDH-ES", "A256GCM"])
    except JoseError as error:
        raise Broken(f"the sealed document does not open with this key ({type(error).__name__})") from None
    return json.loads(opened.plaintext)


# --- the steps --------------------------------------------------------------------------------------------------

def stable_key(*parts):
    """The same step always has the same idempotency key, also after a crash of this program."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:tsunagu-partner:" + ":".join(parts)))


def fetch(hub, delivery, out):
    """Opens a delivery for the member of staff, checks it and keeps it; gives back the leg's id."""
    view, _ = hub.get(f"/v1/deliveries/{urllib.parse.quote(delivery)}")
    document = view["document"]
    if document["delivery"] != delivery or document["recipient"] != hub.agency:
        raise Broken("the document is addressed to another delivery or another agency")
    count = check_document(hub, document, view["manifest"], view["disclosures"])
    say("fetched", delivery=delivery, leg=document["leg"], sections=document["sections"], fields_verified=count)
    keep(out, delivery, view)
    acknowledge(hub, delivery, document["leg"])
    return document["leg"]


def take_sealed(hub, delivery, body, key_file, out):
    """Opens a sealed document and checks it; the receipts, which say who was sent it and when, are fetched apart."""
    pushed = open_sealed(body, key_file)
    document = pushed["document"]
    if document["delivery"] != delivery or document["recipient"] != hub.agency:
        raise Broken("the sealed document is addressed to another delivery or another agency")
    count = check_document(hub, document, pushed["manifest"], pushed["disclosures"])
    say("unsealed", delivery=delivery, leg=document["leg"], sections=document["sections"], fields_verified=count)
    keep(out, delivery, pushed)
    acknowledge(hub, delivery, document["leg"])
    return document["leg"]


def keep(out, delivery, what):
    """Writes a document where only this user can read it. It is personal data from here on."""
    if out is None:
        return
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(out / f"{delivery}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(what, file, ensure_ascii=False, indent=1)


def acknowledge(hub, delivery, leg):
    """Tells the hub which receipt has been taken: R0, the first in the row, and checks the row on the way.

    Signed events stand between the receipts where something happened that no receipt is for, such as a note.
    """
    evidence, _ = hub.get(f"/v1/legs/{urllib.parse.quote(leg)}/receipts")
    receipts = [one["jws"] for one in evidence["receipts"]]
    kinds = {**dict.fromkeys(receipts, RECEIPT_TYPE), **dict.fromkeys(evidence["events"], EVENT_TYPE)}
    hashes = {hashlib.sha256(text.encode("ascii")).hexdigest(): text for text in kinds}
    first = None
    for own_hash, text in hashes.items():
        claims = hub.verified(text, kinds[text])
        if claims["leg"] != leg or claims.get("delivery") not in (None, delivery):
            raise Broken("a statement about something else is among the receipts")
        if claims.get("level") == "R0":
            first = own_hash
        elif claims.get("prev") not in hashes:
            raise Broken("a receipt or an event follows one that is not there")
    if first is None:
        raise Broken("there is no R0 among the receipts")
    hub.post(f"/v1/deliveries/{delivery}/ack", {"receipt_hash": first, "by": hub.staff}, stable_key("ack", delivery))
    say("acknowledged", delivery=delivery, receipts_verified=len(receipts))


def answer(hub, leg, action, reason, declined_by):
    """Answers the leg as it stands now. `If-Match` refuses the answer if the leg moved in between."""
    view, headers = hub.get(f"/v1/legs/{urllib.parse.quote(leg)}")
    if action not in view["available_actions"]:
        # Answered before this program was ended, or taken back by the sender: trying again would change nothing.
        say("not to be answered", leg=leg, action=action, state=view["state"])
        return
    version = headers.get("ETag") or f'"{view["version"]}"'
    body = {"by": hub.staff, **({"reason": reason} if reason else {})}
    if action == "decline":
        body["declined_by"] = declined_by
    hub.post(f"/v1/legs/{leg}/actions/{action}", body, stable_key("answer", leg, action), version)
    say("answered", leg=leg, action=action)


# --- doorbells --------------------------------------------------------------------------------------------------

def attributes(properties):
    """The CloudEvents attributes of a message, whichever of the two separators its sender uses."""
    found = {}
    for name, value in (properties.headers or {}).items():
        for prefix in ("cloudEvents_", "cloudEvents:"):
            if name.startswith(prefix):
                found[name[len(prefix):]] = value.decode() if isinstance(value, bytes) else str(value)
    return found


class Seen:
    """The message-ids already dealt with. A file makes it outlive this program."""

    def __init__(self, file):
        self.file = file
        self.ids = set(file.read_text().split()) if file and file.exists() else set()

    def add(self, message_id):
        self.ids.add(message_id)
        if self.file:
            with self.file.open("a") as out:
                out.write(message_id + "\n")
                out.flush()
                os.fsync(out.fileno())


def take(hub, options):
    """Takes doorbells until --count of them are dealt with or --timeout seconds brought nothing."""
    seen, done = Seen(options.seen), 0
    queue = options.queue or f"{'sealed' if options.key else 'inbox'}.{hub.agency}.v1"
    connection = pika.BlockingConnection(pika.URLParameters(options.amqp))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    for method, properties, body in channel.consume(queue, inactivity_timeout=options.timeout):
        if method is None:
            connection.close()
            say("nothing", queue=queue, seconds=options.timeout)
            return 0 if done and not options.count else 4
        event = attributes(properties)
        message_id = properties.message_id or event.get("id", "")
        if event.get("specversion") != "1.0" or not message_id or "subject" not in event:
            # Not a doorbell of ours. Handing it back would only bring it again.
            channel.basic_reject(method.delivery_tag, requeue=False)
            say("not a doorbell", message_id=message_id)
            continue
        if message_id in seen.ids:
            channel.basic_ack(method.delivery_tag)
            say("seen before", message_id=message_id)
            continue
        if event.get("type") != WAITING:
            # Something has changed that needs no taking; a recalled copy is not to be used any more.
            what = "recalled" if event.get("type") == RECALLED else "changed"
            seen.add(message_id)
            channel.basic_ack(method.delivery_tag)
            say(what, message_id=message_id, subject=event["subject"])
            continue
        delivery = event["subject"]
        say("doorbell", message_id=message_id, delivery=delivery, sealed=properties.content_type == SEALED_TYPE)
        try:
            if properties.content_type == SEALED_TYPE:
                leg = take_sealed(hub, delivery, body, options.key, options.out)
            else:
                leg = fetch(hub, delivery, options.out)
            if options.answer:
                answer(hub, leg, options.answer, options.reason, options.declined_by)
        except Refused:
            # Perhaps only for now: the broker brings it again, a few times at most. The inbox keeps it in any case.
            channel.basic_nack(method.delivery_tag, requeue=True)
            connection.close()
            raise
        except Broken:
            channel.basic_reject(method.delivery_tag, requeue=False)
            connection.close()
            raise
        # Remember first, then let the broker forget: a crash in between brings a doorbell that is skipped.
        seen.add(message_id)
        channel.basic_ack(method.delivery_tag)
        done += 1
        if options.count and done >= options.count:
            connection.close()
            return 0
    return 0


def new_key(file):
    """Makes an X25519 key pair: the private half into the file, the public half printed for registration."""
    key = OKPKey.generate_key("X25519", {"use": "enc", "alg": "ECDH-ES"}, private=True, auto_kid=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(key.as_dict(private=True), out)
    print(json.dumps(key.as_dict(private=False)))


def decline(command):
    command.add_argument("--reason", help="reason code of a decline, e.g. CAPACITY")
    command.add_argument("--declined-by", default="provider", choices=["provider", "client"],
                         help="whose circumstances led to a decline (default provider)")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hub", default=os.environ.get("TSUNAGU_HUB"), help="base URL of the hub (or TSUNAGU_HUB)")
    parser.add_argument("--agency", help="this agency's id, which is its client id too")
    parser.add_argument("--staff", help="registered staff id of the person who opens and answers")
    parser.add_argument("--secret-file", type=Path, help="file with the client secret (or TSUNAGU_SECRET)")
    parser.add_argument("--ca", help="PEM file of the authority that signed the hub's certificate")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("inbox", help="list what waits (受信箱)")

    one = commands.add_parser("take", help="take doorbells from the queue (着信通知を受け取る)")
    one.add_argument("--amqp", default=os.environ.get("TSUNAGU_AMQP"), help="broker URL (or TSUNAGU_AMQP)")
    one.add_argument("--queue", help="default inbox.AGENCY.v1, with --key sealed.AGENCY.v1")
    one.add_argument("--key", type=Path, help="private JWK (X25519 or P-256) that opens sealed documents")
    one.add_argument("--count", type=int, default=1, help="how many to deal with; 0 = until none comes (default 1)")
    one.add_argument("--timeout", type=float, default=30, help="seconds to wait for one (default 30)")
    one.add_argument("--seen", type=Path, help="file that remembers which doorbells were dealt with")
    one.add_argument("--out", type=Path, help="folder to keep documents in (personal data!)")
    one.add_argument("--answer", help="then answer with this action, e.g. accept or decline")
    decline(one)

    one = commands.add_parser("fetch", help="open one delivery (送達を開く)")
    one.add_argument("delivery")
    one.add_argument("--out", type=Path, help="folder to keep the document in (personal data!)")

    one = commands.add_parser("answer", help="answer a leg (返書する)")
    one.add_argument("leg")
    one.add_argument("action", help="accept, decline, …")
    decline(one)

    one = commands.add_parser("new-key", help="make an encryption key (鍵を作る)")
    one.add_argument("--key", type=Path, required=True, help="file to write the private JWK to; must not exist")

    options = parser.parse_args()
    if options.command != "new-key":
        for name in ("hub", "agency", "staff"):
            if not getattr(options, name):
                parser.error(f"--{name} is needed")
    if options.command == "take" and not options.amqp:
        parser.error("--amqp is needed")
    return parser, options


def main():
    parser, options = arguments()
    if options.command == "new-key":
        new_key(options.key)
        return 0
    secret = options.secret_file.read_text().strip() if options.secret_file else os.environ.get("TSUNAGU_SECRET")
    if not secret:
        parser.error("--secret-file or TSUNAGU_SECRET is needed; a secret on the command line is seen by others")
    hub = Hub(options.hub, options.agency, secret, options.staff, options.ca)
    if options.command == "inbox":
        listing, _ = hub.get("/v1/inbox?state=waiting")
        for item in listing["items"]:
            say("waiting", **item)
    elif options.command == "take":
        return take(hub, options)
    elif options.command == "fetch":
        fetch(hub, options.delivery, options.out)
    elif options.command == "answer":
        answer(hub, options.leg, options.action, options.reason, options.declined_by)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        print(f"partner: {refused}", file=sys.stderr)
        sys.exit(1)
    except Broken as broken:
        print(f"partner: the evidence does not hold: {broken}", file=sys.stderr)
        sys.exit(3)
    except pika.exceptions.AMQPError as error:
        print(f"partner: the broker: {type(error).__name__} {error}", file=sys.stderr)
        sys.exit(1)
    except FileExistsError as error:
        print(f"partner: {error.filename} exists already", file=sys.stderr)
        sys.exit(2)
