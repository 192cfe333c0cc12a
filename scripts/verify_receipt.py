#!/usr/bin/env python3
"""Check tsunagu receipts offline, independently of the hub's own code.

usage: verify_receipt.py --jwks jwks.json [--manifests DIR] receipts/*.jws
       verify_receipt.py --vectors DIR        (self-test against tests/vectors/receipts)

jwks.json is the hub's key set (/.well-known/jwks.json), best an earlier copy that you kept yourself.
Each .jws file holds one signed text. Exit code 0: all sound; 1: a fault, or nothing to check.
Needs Python 3.11 and the package `cryptography`.
"""
import argparse, base64, hashlib, json, re, sys
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # the field and the group order
SMALL_Y = {0, 1, P - 1,  # the y-coordinates of the points of order 1, 2, 4 and 8
           int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
           int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")}
RECEIPT, EVENT, MANIFEST = ("tsunagu-%s+jwt" % t for t in ("receipt", "event", "manifest"))
SECTIONS = set("identity contact address household needs narrative health development economic safety notifier".split())
LEVELS = ["R0", "R1", "R2", "R3", "R4", "closed"]
ATTESTED = {"agency-key", "agency-asserted", "link+code", "hub-attested"}
# The published table of a leg's changes of state.
BUSY = {"accepted", "scheduled", "in_progress"}
OPEN = BUSY | {"draft", "awaiting_basis", "requested", "received", "info_requested", "waitlisted", "on_hold", "cancel_requested"}
LEGAL = {("draft", "awaiting_basis"), ("draft", "requested"), ("awaiting_basis", "requested"), ("awaiting_basis", "cancelled"),
         ("requested", "received"), ("received", "accepted"), ("received", "waitlisted"), ("received", "declined"),
         ("received", "info_requested"), ("info_requested", "received"), ("received", "forwarded"), ("accepted", "forwarded"),
         ("waitlisted", "accepted"), ("waitlisted", "declined"), ("waitlisted", "expired"), ("accepted", "scheduled"),
         ("accepted", "in_progress"), ("scheduled", "in_progress"), ("requested", "cancelled"), ("requested", "expired"),
         ("received", "expired"), ("cancel_requested", "cancelled"), ("cancel_requested", "completed"), ("on_hold", "discontinued")}
LEGAL |= {(s, t) for s in BUSY for t in ("on_hold", "completed", "discontinued")} | {("on_hold", s) for s in BUSY}
LEGAL |= {(s, t) for s in OPEN for t in ("withdrawn", "entered_in_error")}
LEGAL |= {(s, "cancel_requested") for s in OPEN - {"draft", "awaiting_basis", "cancel_requested"}}
# Once a hand-over stands in one of these states its recipient is responsible for the family, else its sender.
ACCEPTED = BUSY | {"on_hold", "completed", "discontinued"}
STATES = OPEN | ACCEPTED | {"declined", "forwarded", "cancelled", "withdrawn", "expired", "entered_in_error"}
LIMITS = {"understanding": "人が内容を理解したこと / that a person understood the content",
          "content": "内容そのもの / the content itself (checkable apart, with the document and its salts)",
          "fields": "どの項目が送られたか（目録がない） / which fields were sent (no manifest was given)",
          "withheld": "何が送られなかったか（差出機関の控えがない） / what was withheld (no sender's copy was given)",
          "opened": "人が開いたこと（R3がない） / that a person opened it (there is no R3)",
          "reader": "開いた人の身元（相手機関の鍵ではない） / who opened it (not signed with the recipient's own key)",
          "answered": "相手が回答したこと（R4がない） / that the recipient answered (there is no R4)",
          "later": "最後の記録より後に何があったか / what happened after the last statement given",
          "time": "時刻の正しさ / that the times are right (they are the hub's own; no witness was consulted)",
          "history": "ハブが別の履歴を示していないこと / that the hub shows nobody another history (needs a witnessed checkpoint)"}


class Fault(Exception):
    pass


def need(holds, code):
    if not holds:
        raise Fault(code)


def b64(text, code="form"):
    need(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text), code)
    need(len(text) % 4 != 1, code)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text, code)
    return raw


def parse(raw, code):
    def once(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), code)
        return dict(pairs)
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda _: need(False, code))
    except (ValueError, RecursionError):
        raise Fault(code) from None
    need(isinstance(value, dict), code)
    return value


def y_of(point):
    return int.from_bytes(point, "little") & (2**255 - 1)


def read_jwks(jwks):
    keys = {}
    need(isinstance(jwks, dict) and isinstance(jwks.get("keys"), list), "jwks")
    for jwk in jwks["keys"]:
        need(isinstance(jwk, dict) and "d" not in jwk, "jwks")
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or jwk.get("tsunagu_use") not in ("receipt", "token"):
            continue
        point = b64(jwk.get("x"), "jwks")
        need(len(point) == 32 and y_of(point) < P and y_of(point) not in SMALL_Y, "jwks")
        thumb = hashlib.sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % jwk["x"].encode()).digest()
        kid = base64.urlsafe_b64encode(thumb).rstrip(b"=").decode()
        need(jwk.get("kid") == kid and kid not in keys, "jwks")
        keys[kid] = (jwk["tsunagu_use"], Ed25519PublicKey.from_public_bytes(point))
    return keys


def verify_jws(keys, text, types):
    parts = text.split(".")
    need(len(parts) == 3 and len(text) <= 1 << 20, "form")
    header, payload, signature = (b64(part) for part in parts)
    header = parse(header, "header")
    need(set(header) == {"alg", "kid", "typ"} and all(isinstance(v, str) for v in header.values()), "header")
    need(header["alg"] == "EdDSA", "alg")
    need(header["typ"] in types, "typ")
    use, key = keys.get(header["kid"], (None, None))
    need(use == "receipt", "kid")
    s = int.from_bytes(signature[32:], "little")
    need(len(signature) == 64 and s < L and y_of(signature[:32]) % P not in SMALL_Y, "signature")
    try:
        key.verify(signature, text.rpartition(".")[0].encode())
    except InvalidSignature:
        raise Fault("signature") from None
    payload = parse(payload, "payload")
    need(header["typ"] == MANIFEST or payload.get("key_id") == header["kid"], "key_id")
    return header["typ"], payload


def is_id(value):
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def is_hash(value):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def read_time(value):
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Fault("claims") from None
    need(at.tzinfo is not None, "claims")
    return at


def read_statement(keys, text):
    typ, p = verify_jws(keys, text, (RECEIPT, EVENT))
    part = lambda name: p.get(name) if isinstance(p.get(name), dict) else {}
    state, by = part("state"), part("by")
    need(type(p.get("v")) is int and p["v"] == 1, "claims")
    need(all(is_id(p.get(name)) for name in ("hub_id", "receipt_id", "leg", "sender", "recipient")), "claims")
    need(all(name not in p or is_id(p[name]) for name in ("delivery", "responsible")), "claims")
    need((p.get("level") in LEVELS) if typ == RECEIPT else "level" not in p, "claims")
    need(isinstance(p.get("sections"), list) and all(s in SECTIONS for s in p["sections"]), "claims")
    need(is_hash(p.get("link")) and all(is_hash(p[n]) for n in ("manifest", "content", "prev") if n in p), "claims")
    need(isinstance(state.get("to"), str) and isinstance(state.get("from", ""), str), "claims")
    need(type(state.get("seq")) is int and 0 <= state["seq"] < 2**64, "claims")
    need(by.get("attested") in ATTESTED and all(is_id(by[n]) for n in ("agency", "staff") if n in by), "claims")
    need(p.get("copy") in ("shared", "sender") and p.get("never_opened", True) is True, "claims")
    at = read_time(p.get("at"))
    if p["copy"] == "sender":
        need(is_id(p.get("referral")) and isinstance(p.get("withheld"), list), "claims")
        need(all(isinstance(w, dict) and w.get("section") in SECTIONS and isinstance(w.get("why"), str)
                 for w in p["withheld"]), "claims")
        need(p.get("level") == "R0", "copy")
    else:
        need("withheld" not in p and "referral" not in p, "copy")
    return {**p, "at": at, "raw": p, "hash": hashlib.sha256(text.encode()).hexdigest()}


def read_manifest(keys, text):
    m = verify_jws(keys, text, (MANIFEST,))[1]
    fields = m.get("fields")
    need(set(m) == {"v", "leg", "content_version", "fields"} and type(m["v"]) is int and m["v"] == 1, "manifest")
    need(is_id(m["leg"]) and type(m["content_version"]) is int and isinstance(fields, list), "manifest")
    need(all(isinstance(f, dict) and set(f) == {"path", "d"} and isinstance(f["path"], str) and is_hash(f["d"])
             for f in fields), "manifest")
    paths = [f["path"].encode() for f in fields]
    need(all(a < b for a, b in zip(paths, paths[1:])), "manifest")
    return {**m, "hash": hashlib.sha256(text.encode()).hexdigest()}


def walk(shared, faults):
    starts = [s for s in shared if s.get("level") == "R0" and "prev" not in s]
    after = {}
    for s in shared:
        if ("prev" in s) == (s.get("level") == "R0"):
            faults.append("prev")
        elif "prev" in s:
            after.setdefault(s["prev"], []).append(s)
    if shared and not starts:
        faults.append("no_start")
    chain, followers = [], starts
    while followers:
        faults.extend(["fork"] * (len(followers) - 1))
        chain.append(followers[0])
        followers = after.pop(followers[0]["hash"], [])
    faults.extend(["prev"] * len(after))
    return chain


def check_chain(chain, legal, faults):
    check = lambda holds, code: holds or faults.append(code)
    for s in chain[:1]:
        check("from" not in s["state"] or (s["state"]["from"], s["state"]["to"]) in legal, "transition")
    for a, b in zip(chain, chain[1:]):
        was, now = a["state"], b["state"]
        changed = now.get("from") != now["to"]
        check(all(a[n] == b[n] for n in ("hub_id", "sender", "recipient")), "parties")
        check(a["at"] <= b["at"], "time")
        check(now["seq"] == was["seq"] + 1 or (now["seq"] == was["seq"] and not changed), "seq")
        check(now["seq"] != was["seq"] or a["link"] == b["link"], "link")
        check(now.get("from") == was["to"], "state")
        check(not changed or "from" not in now or (now["from"], now["to"]) in legal, "transition")
    seen = set()
    for s in (s for s in chain if "level" in s):
        delivery = s.get("delivery") if s["level"] in LEVELS[:4] else None
        check((s["level"], delivery) not in seen and (s["level"] != "R3" or ("R2", delivery) in seen), "level")
        seen.add((s["level"], delivery))
    opened = any(s.get("level") == "R3" for s in chain)
    check(not (opened and any("never_opened" in s for s in chain)), "never_opened")
    hands_over = bool(chain) and "responsible" in chain[0]
    for s in (s for s in chain if not hands_over or s["state"]["to"] in STATES):
        due = s["recipient" if s["state"]["to"] in ACCEPTED else "sender"] if hands_over else None
        check(s.get("responsible") == due, "responsible")


def check_copy(copy, chain, faults):
    # In place of a concealed address its section was sent with a sentence of the hub.
    whole = [w for w in copy["withheld"] if "subject" not in w and w["why"] != "W_CONCEALED"]
    if any(w["section"] in copy["sections"] for w in whole):
        faults.append("withheld")
    own = ("copy", "receipt_id", "referral", "withheld")
    common = lambda s: {name: value for name, value in s["raw"].items() if name not in own}
    if not chain:
        faults.append("no_start")
    elif common(copy) != common(chain[0]):
        faults.append("copy_differs")


def limits(chain, copies, manifests):
    level = lambda name: next((s for s in chain if s.get("level") == name), None)
    opened, given = level("R3"), {m["hash"] for m in manifests}
    absent = {"fields": all(s["manifest"] in given for s in chain if "manifest" in s), "withheld": bool(copies),
              "opened": opened, "reader": not opened or opened["by"]["attested"] == "agency-key", "answered": level("R4")}
    return [name for name in LIMITS if not absent.get(name)]


def verify(jwks, receipts, manifests, legal=LEGAL, unread=None):
    """All faults found, and per leg its chain and what is not proved; texts not believed go to `unread`."""
    faults, legs, listed, unread = [], {}, [], {} if unread is None else unread
    def attempt(read, text, keep):
        try:
            keep(read(keys, text))
        except Fault as fault:
            faults.append(str(fault))
            unread[text] = str(fault)
    try:
        keys = read_jwks(jwks)
    except Fault as fault:
        return [str(fault)], {}
    for text in dict.fromkeys(receipts):
        attempt(read_statement, text, lambda s: legs.setdefault(s["leg"], []).append(s))
    for text in dict.fromkeys(manifests):
        attempt(read_manifest, text, listed.append)
    for m in listed:
        naming = [s for s in legs.get(m["leg"], []) if s.get("manifest") == m["hash"]]
        sections = {f["path"].split("/")[1] if "/" in f["path"] else None for f in m["fields"]}
        faults.extend([] if naming else ["manifest_differs"])
        faults.extend("manifest_section" for s in naming if not sections <= set(s["sections"]))
    found = {}
    for leg, statements in sorted(legs.items()):
        copies = [s for s in statements if s["copy"] == "sender"]
        chain = walk([s for s in statements if s["copy"] == "shared"], faults)
        check_chain(chain, legal, faults)
        for copy in copies:
            check_copy(copy, chain, faults)
        found[leg] = (chain, limits(chain, copies, listed))
    return sorted(set(faults)), found


def self_test(folder):
    paths, wrong = sorted(Path(folder).glob("*.json")), 0
    for path in paths:
        v = json.loads(path.read_text("utf-8"))
        faults, legs = verify(v["jwks"], v["receipts"], v["manifests"])
        ladder = {leg: {"ladder": [s.get("level", "-") for s in chain], "not_proved": open_}
                  for leg, (chain, open_) in legs.items()} if not faults else None
        if faults != v["faults"] or ladder != v.get("legs"):
            wrong += 1
            print(f"{path.name}: found {faults}, expected {v['faults']}")
    print(f"{len(paths)} vectors, {wrong} wrong")
    return 0 if paths and not wrong else 1


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--jwks", "--manifests", "--vectors"):
        args.add_argument(option)
    args.add_argument("receipts", nargs="*")
    args = args.parse_args()
    if args.vectors:
        return self_test(args.vectors)
    if not args.jwks or not args.receipts:
        print("give --jwks and at least one receipt; see --help")
        return 1
    read = lambda path: Path(path).read_text("ascii", errors="replace").strip()
    manifests = [read(path) for path in sorted(Path(args.manifests).glob("*.jws"))] if args.manifests else []
    texts, unread = {path: read(path) for path in args.receipts}, {}
    faults, legs = verify(json.loads(read(args.jwks)), texts.values(), manifests, unread=unread)
    for path in (path for path, text in texts.items() if text in unread):
        print(f"{path}: not believed ({unread[texts[path]]})")
    for leg, (chain, open_) in legs.items():
        print(f"leg {leg}")
        for s in chain:
            print(f"  {s.get('level', '-'):6} {s['at'].isoformat()}  {s['state'].get('from', '')} -> {s['state']['to']}"
                  f"  ({s['by']['attested']})")
        print("  証明されないこと / not proved:")
        for name in open_:
            print(f"    - {LIMITS[name]}")
    print("FAULTS: " + ", ".join(faults) if faults else "OK")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
