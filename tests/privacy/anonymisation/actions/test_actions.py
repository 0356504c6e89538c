"""Actions on columns: what holds of each for any value, and what is refused with its column and row."""

import datetime as dt
import json
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from privacy.anonymisation.actions import forms, hashing, keys, sealed, shifting, wanted
from privacy.anonymisation.actions.acting import Means
from privacy.anonymisation.actions.cells import Unfit
from privacy.anonymisation.actions.vault import PersonKey
from privacy.anonymisation.errors import AnonymisationError
from privacy.anonymisation.tables import anonymise_file
from privacy.anonymisation.wish import Wish

OLD = keys.Key("k1", b"1" * 32)
NEW = keys.Key("k2", b"2" * 32)
NEWEST = keys.Key("k3", b"3" * 32)
RING = keys.KeyRing((NEWEST, NEW, OLD))
FEW = st.text(min_size=1, max_size=20).filter(lambda text: text.strip())


class Kept:
    """A vault in memory."""

    def __init__(self):
        self.of, self.secrets = {}, {}

    def tokens(self, column, pairs):
        return [self.of.setdefault(pair, forms.like(pair[1])) for pair in pairs]

    def keys(self, people):
        return [
            self.secrets.setdefault(one, PersonKey(f"{len(self.secrets):032x}", bytes([len(self.secrets)]) * 64))
            for one in people
        ]


# --- keyed hashes


@given(FEW, FEW)
def test_a_pseudonym_is_of_its_value_alone(one, other):
    first, second = (hashing.pseudonym(value, RING) for value in (one, other))

    assert first.startswith("k3.")
    assert len(first) == 35
    assert (first == second) == (forms.spelt(one) == forms.spelt(other))
    assert first != hashing.pseudonym(one, RING, domain="partner")
    assert first != hashing.pseudonym(one, keys.KeyRing((NEWEST,)))


@given(FEW)
def test_who_holds_both_keys_joins_old_and_new_without_the_value(value):
    before = hashing.pseudonym(value, keys.KeyRing((OLD,)))
    later = hashing.pseudonym(value, keys.KeyRing((NEW, OLD)))

    assert before.split(".")[1] != later.split(".")[1]
    assert hashing.rekeyed(before, keys.KeyRing((NEW, OLD))) == later
    assert hashing.rekeyed(before, RING) == hashing.rekeyed(later, RING) == hashing.pseudonym(value, RING)


def test_a_pseudonym_of_an_unknown_key_is_refused():
    with pytest.raises(Unfit, match="'k1'"):
        hashing.rekeyed(hashing.pseudonym("a", keys.KeyRing((OLD,))), keys.KeyRing((NEW,)))
    with pytest.raises(Unfit, match="no pseudonym"):
        hashing.rekeyed("a", RING)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        "k1:ab",
        "k1:" + "ab" * 31,
        "K1:" + "ab" * 32,
        f"k1:{'ab' * 32},k1:{'cd' * 32}",
        f"a:{'ab' * 32} b:{'ab' * 32}",
    ],
)
def test_keys_that_make_no_sense_are_refused_unquoted(text):
    with pytest.raises(AnonymisationError) as refused:
        keys.read(text)
    assert "abab" not in str(refused.value)


def test_keys_come_from_a_file_of_their_own_or_the_environment(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"k2:{'cd' * 32}\nk1:{'ab' * 32}\n")
    file.chmod(0o600)

    assert keys.from_outside(file, {}).current.id == "k2"
    assert keys.from_outside(None, {"PSEUDONYM_KEYS_FILE": str(file)}).current.id == "k2"
    assert keys.from_outside(None, {"PSEUDONYM_KEYS": f"k9:{'ef' * 32}"}).current.id == "k9"
    assert keys.from_outside(None, {}) is None
    assert "cd" * 4 not in repr(keys.from_outside(file, {}))
    file.chmod(0o644)
    with pytest.raises(AnonymisationError, match="may be read by others"):
        keys.from_outside(file, {})


# --- tokens and keys of people


@given(st.text(min_size=6, max_size=24).filter(lambda text: forms.number_of(text) >= forms.FEWEST))
def test_a_token_has_the_form_of_its_value_and_is_another(value):
    token = forms.like(value)

    assert len(token) == len(value)
    assert token != value
    for sign, other in zip(value, token, strict=True):
        assert sign.isdecimal() == other.isdecimal()
        assert sign.isalpha() == other.isalpha()
        assert sign.isalpha() or sign.isdecimal() or sign == other
        assert not sign.isalpha() or sign.isupper() == other.isupper()


@given(FEW, FEW)
def test_a_sealed_value_is_read_with_its_own_key_and_no_other(value, other):
    mine, theirs = PersonKey("0" * 32, b"m" * 64), PersonKey("0" * 32, b"t" * 64)
    text = sealed.seal(value, mine)

    assert sealed.unseal(text, mine) == forms.spelt(value)
    assert sealed.unseal(text, theirs) is None
    assert sealed.unseal(text[:-2], mine) is None
    assert (text == sealed.seal(other, mine)) == (forms.spelt(value) == forms.spelt(other))
    assert text != sealed.seal(value, theirs)


# --- dates


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), FEW,
    st.integers(1, wanted.MOST_DAYS),
)  # fmt: skip
def test_dates_of_a_person_keep_their_interval_and_move_within_bounds(one, other, person, days):
    by = shifting.days_of(person, RING, days)
    first, second = (dt.date.fromisoformat(shifting.moved(str(date), by)) for date in (one, other))

    assert second - first == other - one
    assert 1 <= abs((first - one).days) <= days


def test_shifts_use_every_day_of_both_directions():
    found = Counter(shifting.days_of(str(person), RING, 3) for person in range(600))

    assert set(found) == {-3, -2, -1, 1, 2, 3}
    assert max(found.values()) < 2 * min(found.values())


def test_the_time_of_the_day_stays():
    assert shifting.moved("2024-02-28T23:59:59.5+02:00", 2) == "2024-03-01T23:59:59.5+02:00"


# --- whole tables


def _table(tmp_path, rows, name="in.csv"):
    path = tmp_path / name
    path.write_text("\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]) + "\n")
    return path


def _people(number=40, **columns):
    return [
        {
            "who": f"p{n // 2}",
            "age": 20 + n % 5,
            "seen": f"2024-01-{1 + n % 28:02d}",
            "pay": 100 + n // 2,
            **{name: of(n) for name, of in columns.items()},
        }
        for n in range(number)
    ]


def _run(tmp_path, path, actions, *, out="out.csv", person="who", keep=(), **wish):
    means = wish.pop("means", Means(RING, Kept()))
    report = anonymise_file(
        path, tmp_path / out, ["age"], Wish(k=2, person=person, **wish), keep=keep,
        actions=wanted.parse_all(actions), means=means,
    )  # fmt: skip
    lines = (tmp_path / out).read_text().splitlines() if out.endswith("csv") else []
    return report, [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]


def test_actions_reach_the_copy_and_the_report(tmp_path):
    rows = _people(phone=lambda n: f"+34 6{n // 2:08d}", mail=lambda n: f"u{n // 2}@x.org")
    path = _table(tmp_path, rows)
    asked = ["who=hash", "seen=shift:days=9", "pay=bounds:top=95%,bottom=105", "phone=token", "mail=shred"]

    vault = Kept()
    report, copy = _run(tmp_path, path, asked, means=Means(RING, vault))
    again, _ = _run(tmp_path, path, asked, out="again.csv", means=Means(RING, vault))

    assert report.target_sha256 == again.target_sha256
    assert len({row["who"] for row in copy}) == 20
    assert {row["who"] for row in copy} == {hashing.pseudonym(row["who"], RING) for row in rows}
    for before, after in zip(rows, copy, strict=True):
        moved = dt.date.fromisoformat(after["seen"]) - dt.date.fromisoformat(before["seen"])
        assert moved.days == shifting.days_of(before["who"], RING, 9)
        assert vault.of[(before["who"], before["phone"])] == after["phone"]
        assert sealed.unseal(after["mail"], vault.secrets[before["who"]]) == before["mail"]
    pays = Counter(int(row["pay"]) for row in copy)
    assert min(pays) == 105
    assert pays[max(pays)] >= 2
    assert {each["column"]: each["kind"] for each in report.actions} == {
        "who": "hash", "seen": "shift", "pay": "bounds", "phone": "token", "mail": "shred",
    }  # fmt: skip
    assert report.passed_through == ()
    assert "not anonymous" in report.pseudonymous
    text = (tmp_path / "out.csv.report.json").read_text()
    assert json.loads(text)["actions"][0]["key"] == "k3"
    assert OLD.secret.hex() not in text
    assert "u1@x.org" not in text


def test_parquet_keeps_types_of_dates_and_numbers(tmp_path):
    rows = _people()
    table = pa.table(
        {
            "who": pa.array([row["who"] for row in rows]),
            "age": pa.array([row["age"] for row in rows]),
            "seen": pa.array([dt.date.fromisoformat(row["seen"]) for row in rows[:-1]] + [None]),
            "at": pa.array([dt.datetime(2024, 1, 1 + n % 9, 8, 30) for n in range(40)]),
            "pay": pa.array([row["pay"] for row in rows[:-1]] + [None]),
        }
    )
    parquet.write_table(table, tmp_path / "in.parquet", row_group_size=7)

    _run(
        tmp_path, tmp_path / "in.parquet",
        ["who=hash", "seen=shift", "at=shift", "pay=bounds:top=110"], out="out.parquet", keep=["seen", "at"],
    )  # fmt: skip
    copy = parquet.read_table(tmp_path / "out.parquet")

    assert copy.schema.field("seen").type == pa.date32()
    assert copy.schema.field("at").type == table.schema.field("at").type
    assert max(value for value in copy["pay"].to_pylist() if value is not None) == 110
    assert copy["pay"].null_count == copy["seen"].null_count == 1
    by = [shifting.days_of(row["who"], RING, shifting.DAYS) for row in rows]
    assert [(b - a).days for a, b in zip(table["at"].to_pylist(), copy["at"].to_pylist(), strict=True)] == by


def test_a_pseudonym_joins_the_rows_of_a_person(tmp_path):
    """Each person has two rows: known together, their classes tell people apart that single rows do not."""
    alike, _ = _run(tmp_path, _table(tmp_path, _people()), ["who=hash"])
    rows = [{"who": f"p{n // 2}", "age": (20, 60)[n % 2 and n // 2 % 3 == 0], "seen": "", "pay": 1} for n in range(60)]
    apart, _ = _run(tmp_path, _table(tmp_path, rows), ["who=hash"])
    rows[0]["age"], rows[1]["age"] = 60, 60
    alone, _ = _run(tmp_path, _table(tmp_path, rows), ["who=hash"])

    assert alike.linked.smallest >= 1
    assert (apart.result.smallest_class, apart.linked.smallest, apart.linked.alone) == (10, 10, 0.0)
    assert (alone.linked.smallest, alone.linked.alone > 0) == (1, True)


def test_a_table_without_pseudonyms_is_not_called_one(tmp_path):
    report, _ = _run(tmp_path, _table(tmp_path, _people()), ["pay=bounds:top=110"])

    assert (report.linked, report.pseudonymous) == (None, None)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["age=hash"], "'age' is generalised"),
        (["pay=hash"], "'pay' is sensitive"),
        (["age=redact"], "'age' is read as values"),
        (["who=shift"], "'who' names the person"),
        (["who=bounds:top=3"], "'who' names the person"),
        (["nowhere=hash"], "No column 'nowhere'"),
        (["seen=redact:names_of=seen"], "its own list"),
        (["seen=rekey"], "Column 'seen', row 1: it holds no pseudonym"),
        (["word=shift"], "Column 'word', row 1: it holds no date"),
        (["day=shift"], "Column 'day', row 3: its date"),
        (["short=token"], "Column 'short', row 1: a token of its form"),
        (["word=bounds:top=3"], "'word' holds neither numbers nor dates"),
        (
            ["n=bounds:top=139"],
            "fewer than 2 people lie at or beyond the bound 139; the outermost bound with so many is 137",
        ),
        (["n=bounds:bottom=50%,top=1%"], "lower bound is not below"),
        (["n=bounds:top=2024-01-01"], "'n': the bound 2024-01-01 is not of its kind"),
    ],
)
def test_what_an_action_cannot_protect_is_refused_with_its_column(tmp_path, asked, sentence):
    columns = {
        "word": lambda n: "ab"[n % 2] * 3,
        "day": lambda n: "2024-02-30" if n == 2 else "2024-02-20",
        "short": lambda n: n + 10,
        "n": lambda n: n + 100,
    }
    path = _table(tmp_path, _people(**columns))

    with pytest.raises(AnonymisationError, match=sentence.replace("(", r"\(")):
        _run(tmp_path, path, asked, sensitive="pay")

    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("kind", ["token", "shred", "shift"])
def test_what_differs_by_person_needs_the_column_of_the_person(tmp_path, kind):
    with pytest.raises(AnonymisationError, match="name the column of the person"):
        _run(tmp_path, _table(tmp_path, _people()), [f"seen={kind}"], person=None)


@pytest.mark.parametrize(
    ("kind", "need"), [("hash", "a key"), ("shift", "a key"), ("token", "a vault"), ("shred", "a vault")]
)
def test_without_key_or_vault_nothing_is_written(tmp_path, kind, need):
    with pytest.raises(AnonymisationError, match=f"needs {need}"):
        _run(tmp_path, _table(tmp_path, _people()), [f"seen={kind}"], means=Means())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hash", "is no action"), ("a=", "is no action"), ("a=melt", "no action 'melt'"),
        ("a=hash:days=3", "has no option 'days'"), ("a=shift:days=0", "from 1 to"), ("a=shift:days=x", "from 1 to"),
        ("a=bounds", "name a bound"), ("a=bounds:top=high", "'high' is no bound"), ("a=bounds:top=100%", "is no bound"),
        ("a=hash:domain=Ä", "a domain is"), ("a=bounds:top=1,top=2", "twice"), ("a=bounds:top=9,k=1", "k is a whole"),
    ],
)  # fmt: skip
def test_a_line_that_makes_no_sense_is_refused(text, sentence):
    with pytest.raises(AnonymisationError, match=sentence):
        wanted.Action.parse(text)


def test_a_column_has_one_action():
    with pytest.raises(AnonymisationError, match="'a' has two actions"):
        wanted.parse_all(["a=hash", "a=redact"])


@given(
    st.sampled_from(["a", "a=b", "größe", "x y"]),
    st.sampled_from(["hash", "hash:domain=p-1", "bounds:bottom=1,top=95%", "shift:days=3"]),
)
def test_an_action_is_read_as_it_is_written(column, rest):
    assert wanted.Action.parse(f"{column}={rest}").text == f"{column}={rest}"


@settings(max_examples=25)
@given(st.lists(st.integers(-50, 50), min_size=8, max_size=60), st.integers(2, 4), st.integers(1, 99))
def test_bounds_leave_k_rows_at_each_end_and_nothing_beyond(tmp_path_factory, values, k, share):
    assume(len(values) >= 2 * k)
    folder = tmp_path_factory.mktemp("bounds")
    path = _table(folder, [{"age": 1, "n": value} for value in values])
    action = wanted.Action.parse(f"n=bounds:top={share}%,k={k}")
    report = anonymise_file(path, folder / "out.csv", ["age"], Wish(k=2), keep=["n"], actions=[action])
    shown = Counter(int(line.split(",")[1]) for line in (folder / "out.csv").read_text().splitlines()[1:])

    top = max(shown)
    assert shown[top] >= k
    assert all(
        after == min(before, top) for before, after in zip(sorted(values), sorted(shown.elements()), strict=True)
    )
    assert report.actions[0]["above"] == sum(value > top for value in values)


def test_a_missing_cell_has_no_pseudonym(tmp_path):
    rows = _people(note=lambda n: ("N/A", "", "card 7")[n % 3])
    _, copy = _run(tmp_path, _table(tmp_path, rows), ["note=hash"])

    assert [row["note"] for row in copy[:2]] == ["N/A", ""]
    assert copy[2]["note"].startswith("k3.")
