"""Allowed built-in functions: those that give the same answer in OPA and in the embedded engine.

A list of what is allowed, so that a function a later OPA brings is refused until it has been compared. What is left out
and why is in ``REFUSED``, as far as an author may look for it.
"""

ALLOWED = frozenset(
    {
        "abs", "array.concat", "array.slice", "concat", "contains", "count", "endswith", "indexof", "intersection",
        "is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "json.patch",
        "max", "min", "object.filter", "object.get", "object.keys", "object.remove", "object.union",
        "object.union_n", "product", "regex.is_valid", "regex.match", "replace", "set", "sort", "split", "sprintf",
        "startswith", "strings.any_prefix_match", "strings.any_suffix_match", "substring", "sum", "trim",
        "trim_left", "trim_prefix", "trim_right", "trim_space", "trim_suffix", "type_name", "union",
    }
)  # fmt: skip
# Compared, and different for sets. Tests change their facts with it.
IN_TESTS_ONLY = frozenset({"json.patch"})
_EFFECT = "it reaches outside of the policy, so the same facts could get another answer"
_LETTERS = "the engines differ in letters such as ß, Σ and İ: have facts and data in one case"
_MISSING = "the embedded engine does not have it"
_CALENDAR = "the engines differ in calendar arithmetic: compute dates outside and pass facts"
_SIZE = "a small policy could make it produce something huge"
REFUSED = {
    "http.send": _EFFECT,
    "net.lookup_ip_addr": _EFFECT,
    "opa.runtime": _EFFECT,
    "rand.intn": _EFFECT,
    "uuid.rfc4122": _EFFECT,
    "time.now_ns": "a policy has no clock: what depends on time is a fact",
    "print": _EFFECT,
    "trace": _EFFECT,
    "lower": _LETTERS,
    "upper": _LETTERS,
    "object.subset": "the engines differ for values of unlike types: compare members, or use object.filter",
    "walk": "the engines differ in it, and its cost has no bound",
    "numbers.range": _SIZE,
    "numbers.range_step": _SIZE,
    "strings.render_template": _SIZE,
    "bits.lsh": _SIZE,
    "net.cidr_expand": _SIZE,
    "net.cidr_merge": _MISSING,
    "regex.globs_match": _MISSING,
}
_FAMILIES = {
    "time.": _CALENDAR,
    "io.jwt.": _MISSING,
    "crypto.": _MISSING,
    "graphql.": _MISSING,
    "uri.": _MISSING,
    "rego.": _MISSING,
    "providers.": _MISSING,
}


def why_refused(name: str) -> str:
    """Return why a function is not allowed."""
    family = next((why for prefix, why in _FAMILIES.items() if name.startswith(prefix)), None)
    return REFUSED.get(name) or family or "nobody has compared it in both engines"
