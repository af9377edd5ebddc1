"""Writes what fuzzing starts from: the project's own fixtures, one small file each, and a dictionary of its words.

usage: fuzz_seeds.py DIR        makes DIR/<target>/... and DIR/words.dict
Standard library only; reads nothing outside the checkout.
"""

import hashlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = [
    "letter", "words", "commands", "html", "report", "addresses", "verify", "form", "register", "ballot", "config",
]
CSV = "kind,id,name,language,zone,addresses,roles\nperson,1,Ann Member,fr,UTC,ann@member.example,staff\n"
HEAD = "From: Ann Member <ann@member.example>\r\nTo: clerk@clerk.example\r\nSubject: Re: vote\r\n"


def write(folder, text):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def answers():
    """The author's words of the table of answers."""
    for line in (ROOT / "tests/it/mails/answers.txt").read_text().splitlines():
        if line.strip() and not line.startswith(("#", "==")):
            line = line.replace("\\n", "\n")
            yield re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), line)


def attributions():
    """What mail programs write above a quote, with a quote below."""
    for line in (ROOT / "tests/it/mails/attributions.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield "YES\n\n" + line.removeprefix(">>").strip().replace("|", "\n") + "\n\n> NO\n"


def notices():
    """Our own mails as the golden files show them: header, text and page."""
    for path in sorted((ROOT / "tests/it/golden/mails").glob("*.txt")):
        header, *parts = path.read_text().split("======== ")
        yield header, [part.partition("\n")[2] for part in parts]


def literals():
    """Mails that stand in the tests as strings."""
    for path in sorted((ROOT / "tests/it").glob("letters_*.rs")):
        for found in re.findall(r'"((?:[^"\\]|\\.)*)"', path.read_text(), re.S):
            if len(found) > 40 and "\\n" in found:
                text = re.sub(r"\\\n\s*", "", found)
                for mark, meant in (("\\r", "\r"), ("\\n", "\n"), ('\\"', '"'), ("\\\\", "\\")):
                    text = text.replace(mark, meant)
                yield re.sub(r"\\u\{([0-9a-f]+)\}", lambda hex: chr(int(hex[1], 16)), text)


def forms():
    """The application answered in each language: by number, by label, in place, and as the XML of a document."""
    form = tomllib.loads((ROOT / "templates/_forms/application.toml").read_text())
    answers = {
        "country": "FR", "number": "about 200", "yes-no": "yes", "email": "a@member.example", "date": "2012-03-05",
        "url": "www.member.example", "choice": "b", "several": "a, c",
    }
    people = "Ann Lee, a@x.example; Bo Chen, b@x.example"
    for language in form["title"]:
        rows = []
        for number, field in enumerate(form["field"], 1):
            kind = field["kind"]
            person = isinstance(kind, dict) and "people" in kind
            answer = people if person else answers.get(str(kind), "by vote of all")
            rows.append((number, field["label"][language], answer, field["help"][language]))
        yield "".join(f"{number}. {answer}\n" for number, _, answer, _ in rows)
        yield "".join(f"{label}: {answer}\n" for _, label, answer, _ in rows)
        yield "".join(f"> {number}. {label}: {answer}\n> {note}\n" for number, label, answer, note in rows)
        yield "<w:d>" + "".join(f"<w:p><w:t>{n}. {label}: {a}</w:t></w:p>" for n, label, a, _ in rows) + "</w:d>"
        yield "<d>" + "".join(f"<table-cell><p>{n}</p></table-cell><p>{a}</p>" for n, _, a, _ in rows) + "</d>"


def words(value):
    """Every string of the tables of words."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)


def escaped(word):
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


def main():
    base = Path(sys.argv[1])
    folders = {name: base / name for name in TARGETS}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    texts = [*answers(), *attributions()]
    for text in texts:
        write(folders["words"], text)
        write(folders["letter"], HEAD + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text)
    for header, parts in notices():
        write(folders["addresses"], "\n".join(line.partition(": ")[2] for line in header.splitlines()))
        for part in parts:
            write(folders["words"], "YES\n\n" + "".join(f"> {line}\n" for line in part.splitlines()))
            if part.lstrip().startswith("<"):
                write(folders["html"], part)
                write(folders["letter"], HEAD + "Content-Type: text/html; charset=utf-8\r\n\r\n<p>YES</p>" + part)
    for header, parts in notices():
        for part in parts:
            write(folders["verify"], HEAD + "\r\nVERIFY\r\n\r\n---- Forwarded message ----\r\n" + part)
    for text in literals():
        for name in ("letter", "html", "report") if ":" in text else ("words", "html"):
            write(folders[name], text)
    for text in forms():
        # The first byte is the way it comes: in a document, above a quote, or as a mail.
        write(folders["form"], ("4" if text.startswith("<w:") else "5" if text.startswith("<d") else "7") + text)
        write(folders["form"], "0" + HEAD + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text)
    tables = [tomllib.loads(path.read_text()) for path in sorted((ROOT / "src/letters/words").glob("*.toml"))]
    for table in tables:
        verbs = table.get("command", {})
        write(folders["commands"], "\n".join(word.upper() for word in words(verbs)))
        for word in words(verbs):
            write(folders["commands"], f"{word} 3\n")
        write(folders["report"], "\n".join(words(table.get("bounce", {}))) + "\n<a@member.example>: 550 5.1.1 unknown\n")
    for name, path in [
        ("register", "config/village/register.toml"), ("ballot", "config/village/ballot.toml"),
        ("config", "config/atlarged.toml"), ("config", "config/policy.toml"),
    ]:
        write(folders[name], (ROOT / path).read_text())
    write(folders["register"], CSV)
    known = sorted({word for table in tables for word in words(table) if len(word.encode()) <= 60})
    (base / "words.dict").write_text("".join(f'"{escaped(word)}"\n' for word in known if word))


if __name__ == "__main__":
    main()
