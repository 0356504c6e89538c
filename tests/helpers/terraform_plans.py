"""Terraform plans as ``terraform show -json`` writes them, made of a few facts."""

import json
import re

_INDEX = re.compile(r'\[(?:[0-9]+|"[^"]*")\]')
ABOUT = {"assent-subjects": "eea", "assent-data-categories": "purchases"}


def planned(address, values=None, *, key=None, unknown=None, about=ABOUT, **expressions):
    """Return a resource of people in the EEA. ``expressions`` are references, or whole expressions, by member."""
    kind = _INDEX.sub("", address).split(".")[-2]
    provider = {"google": "google", "azurerm": "azurerm"}.get(kind.split("_")[0], "aws")
    return {
        "address": address,
        "type": kind,
        "provider": provider,
        "values": {("labels" if provider == "google" else "tags"): about, **(values or {})},
        "unknown": unknown or {},
        "configuration": {
            "provider_config_key": provider if key is None else key,
            "expressions": {
                name: {"references": each} if isinstance(each, list) and all(isinstance(r, str) for r in each) else each
                for name, each in expressions.items()
            },
        },
    }


def plan(*resources, providers=None, variables=None, calls=None, **more):
    """Return a plan's text. ``calls`` are the expressions of module calls by the modules' addresses."""
    root, configured = {"resources": [], "child_modules": []}, {"resources": [], "module_calls": {}}
    for module, call in (calls or {}).items():
        _called(configured, module).update(call)
    for each in resources:
        module, _, address = _split(each["address"])
        _planned(root, module)["resources"].append(
            {
                "address": each["address"],
                "mode": "managed",
                "type": each["type"],
                "provider_name": f"registry.terraform.io/hashicorp/{each['provider']}",
                "values": each["values"],
            }
        )
        place = _called(configured, module)["module"] if module else configured
        place.setdefault("resources", []).append({"address": _INDEX.sub("", address), **each["configuration"]})
    document = {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "variables": {name: {"value": value} for name, value in (variables or {}).items()},
        "planned_values": {"root_module": root},
        "resource_changes": [
            {"address": each["address"], "change": {"actions": ["create"], "after_unknown": each["unknown"]}}
            for each in resources
        ],
        "configuration": {
            "provider_config": {
                key: {"name": key.rpartition(":")[2].split(".")[0], **_module_of(key), "expressions": expressions}
                for key, expressions in (providers or {}).items()
            },
            "root_module": configured,
        },
    }
    return json.dumps({**document, **more})


def constant(value):
    return {"constant_value": value}


def references(*named):
    return {"references": list(named)}


def _module_of(key):
    return {"module_address": key.rpartition(":")[0]} if ":" in key else {}


def _split(address):
    parts = re.fullmatch(r"((?:module\.[a-z_]+(?:\[[^\]]*\])?\.)*)(.*)", address)
    return parts[1].removesuffix("."), ".", parts[2]


def _planned(root, module):
    if not module:
        return root
    found = next((each for each in root["child_modules"] if each["address"] == module), None)
    if found is None:
        found = {"address": module, "resources": []}
        root["child_modules"].append(found)
    return found


def _called(configured, module):
    """Return the call of a module, made where there is none yet."""
    call, inner = {}, configured
    for name in re.findall(r"module\.([a-z_]+)", module):
        call = inner.setdefault("module_calls", {}).setdefault(name, {"module": {}})
        call.setdefault("module", {})
        inner = call["module"]
    return call
