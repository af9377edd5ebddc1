#!/usr/bin/env python3
"""A second verifier of a published tally, written apart from the clerk's own. Standard library only.

usage: recount.py TALLY.json [--key FINGERPRINT]

Exit status 0 when everything that was checked holds, 1 otherwise. Ed25519 is RFC 8032, section 5.1.7, in
plain integers: slow, and short enough to be read.
"""
import hashlib
import json
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


def recount(tally, fingerprint):
    body, frozen = tally["body"], tally["body"]["frozen"]
    key = bytes.fromhex(tally["public_key"])
    unsigned = {name: value for name, value in tally.items() if name != "signature"}
    yield "it is a tally", tally["format"] == "atlarged-tally-1"
    yield "it is signed", signed_by(key, canonical(unsigned), bytes.fromhex(tally["signature"]))
    if fingerprint:
        yield "by the published key", hashlib.sha256(key).hexdigest() == fingerprint.lower().replace(":", "")
    yield "the electorate hash", hashlib.sha256(canonical(frozen)).hexdigest() == body["electorate_hash"]
    codes = [ballot["code"] for ballot in body["ballots"]]
    voters = [ballot["voter"] for ballot in body["ballots"] if ballot["voter"]]
    electorate = frozen["electorate"]
    yield "codes differ and are sorted", codes == sorted(set(codes))
    yield "electorate without repetition", len(set(electorate)) == len(electorate)
    yield "ballots not above voters", len(codes) <= len(electorate)
    yield "names where open only", len(voters) == (len(codes) if frozen["secrecy"] == "open" else 0)
    yield "one ballot a voter", len(set(voters)) == len(voters) and set(voters) <= set(electorate)
    count = {word: sum(ballot["choice"] == word for ballot in body["ballots"]) for word in ("yes", "no", "abstain")}
    yield "the counts", count == body["counts"]
    expected = None if body["annulled"] is not None else verdict(frozen["rule"], count, len(electorate))
    yield "the verdict", expected == body["verdict"] and (body["annulled"] is None or not codes)


def main():
    arguments = sys.argv[1:]
    fingerprint = arguments.pop(arguments.index("--key") + 1) if "--key" in arguments else None
    names = [argument for argument in arguments if argument != "--key"]
    if len(names) != 1:
        sys.exit(__doc__)
    try:
        with open(names[0], encoding="utf-8") as file:
            findings = list(recount(json.load(file), fingerprint))
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"not a tally: {error!r}")
    for what, holds in findings:
        print("holds" if holds else "WRONG", what)
    return 0 if all(holds for _, holds in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
