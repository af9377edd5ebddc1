#!/usr/bin/env python3
"""A second verifier of a published tally, written apart from the clerk's own. Standard library only.

usage: recount.py TALLY.json [--key FINGERPRINT]

Exit status 0 when everything that was checked holds, 1 otherwise. Ed25519 is RFC 8032, section 5.1.7, in
plain integers: slow, and short enough to be read.
"""
import hashlib
import json
import re
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(octets):
    number = int.from_bytes(octets, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(a, b):
    one, two = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    three, four = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = two - one, four - three, four + three, two + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, a)
        a, n = add(a, a), n >> 1
    return total


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = point(key), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(h, a))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice in an object")
    return dict(pairs)


def integer(digits):
    if digits == "-0" or not -(2**63) <= int(digits) < 2**64:
        raise ValueError(f"the number {digits}")
    return int(digits)


def refused(what):
    raise ValueError(f"the number {what}")


def read(file):
    numbers = {"parse_int": integer, "parse_float": refused, "parse_constant": refused}
    return json.load(file, object_pairs_hook=once, **numbers)


def octets(text, length):
    if not re.fullmatch("([0-9a-f]{2})*", text) or len(text) != 2 * length:
        raise ValueError("hexadecimal digits")
    return bytes.fromhex(text)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verdict(rule, count, sitting):
    quorum = rule["quorum"]
    least = sitting * quorum["numerator"] // quorum["denominator"] + 1
    least = max(least, quorum.get("min_absolute", 0))
    recorded = count["yes"] + count["no"] + count["abstain"]
    if rule["majority"] == "of-quorum":
        base, needed = least, least // 2 + 1
    else:
        every = rule["majority"]["two-thirds"]["abstain_counts_as_cast"]
        base = recorded if every else count["yes"] + count["no"]
        needed = max(-(-2 * base // 3), 1)
    if recorded < least:
        outcome = "inquorate"
    elif count["yes"] <= count["no"]:
        outcome = {"not-carried": "tie" if count["yes"] == count["no"] else "more-no"}
    else:
        outcome = "carried" if count["yes"] >= needed else {"not-carried": "too-few-yes"}
    return {"sitting": sitting, "recorded": recorded, "quorum": least, "base": base, "needed": needed,
            "outcome": outcome}


NAMES = {
    "file": "format body journal_head public_key signature",
    "body": "case frozen electorate_hash names closes closed ballots counts verdict earlier annulled",
    "ballot": "code choice voter",
    "rule": "quorum majority",
    "quorum": "numerator denominator min_absolute",
}
PARTY = "[pos](0|[1-9][0-9]*)"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


def named(what, value):
    return set(value) == set(NAMES[what].split())


def formed(tally):
    """Nothing in it that is not read, everything written in the one way in which the clerk writes it."""
    body, frozen = tally["body"], tally["body"]["frozen"]
    voters = [ballot["voter"] for ballot in body["ballots"] if ballot["voter"] is not None]
    parties = [*body["names"], *frozen["electorate"], *voters]
    quorum = frozen["rule"]["quorum"]
    return (
        tally["format"] == "atlarged-tally-1"
        and named("file", tally) and named("body", body)
        and all(named("ballot", ballot) and isinstance(ballot["code"], str) for ballot in body["ballots"])
        and all(ballot["choice"] in ("yes", "no", "abstain") for ballot in body["ballots"])
        and all(re.fullmatch(PARTY, party) for party in parties)
        and all(isinstance(name, str) for name in body["names"].values())
        and all(re.fullmatch(MOMENT, body[name]) for name in ("closes", "closed"))
        and isinstance(body["case"], str) and isinstance(body["earlier"], list)
        and (body["annulled"] is None or isinstance(body["annulled"], str))
        and named("rule", frozen["rule"]) and named("quorum", quorum)
        and quorum["numerator"] < quorum["denominator"]
    )


def recount(tally, fingerprint):
    body, frozen = tally["body"], tally["body"]["frozen"]
    key = octets(tally["public_key"], 32)
    unsigned = {name: value for name, value in tally.items() if name != "signature"}
    yield "it is a tally", formed(tally)
    yield "it is signed", signed_by(key, canonical(unsigned), octets(tally["signature"], 64))
    if fingerprint is not None:
        digits = re.sub("[^0-9a-f]", "", fingerprint.lower())
        yield "by the published key", hashlib.sha256(key).hexdigest() == digits
    yield "the electorate hash", hashlib.sha256(canonical(frozen)).hexdigest() == body["electorate_hash"]
    codes = [ballot["code"] for ballot in body["ballots"]]
    voters = [ballot["voter"] for ballot in body["ballots"] if ballot["voter"] is not None]
    electorate = frozen["electorate"]
    yield "codes differ and are sorted", codes == sorted(set(codes))
    yield "electorate without repetition", len(set(electorate)) == len(electorate)
    yield "ballots not above voters", len(codes) <= len(electorate)
    yield "names where open only", len(voters) == (len(codes) if frozen["secrecy"] == "open" else 0)
    yield "one ballot a voter", len(set(voters)) == len(voters) and set(voters) <= set(electorate)
    choices = [ballot["choice"] for ballot in body["ballots"]]
    count = {word: choices.count(word) for word in ("yes", "no", "abstain")}
    # Compared as they are written: to Python 1 is True.
    yield "the counts", canonical(count) == canonical(body["counts"])
    expected = None if body["annulled"] is not None else verdict(frozen["rule"], count, len(electorate))
    holds = canonical(expected) == canonical(body["verdict"])
    yield "the verdict", holds and (body["annulled"] is None or not codes)


def main():
    arguments = sys.argv[1:]
    fingerprint = None
    if "--key" in arguments[:-1]:
        at = arguments.index("--key")
        fingerprint = arguments[at + 1]
        del arguments[at:at + 2]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.exit(__doc__)
    try:
        with open(arguments[0], encoding="utf-8") as file:
            findings = list(recount(read(file), fingerprint))
    except Exception as error:  # whatever a file makes go wrong here, it is no tally
        sys.exit(f"not a tally: {error!r}")
    for what, holds in findings:
        print("holds" if holds else "WRONG", what)
    return 0 if all(holds for _, holds in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
