"""No template uses a name that nothing gives it, in whatever branch it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from jinja2 import Environment, StrictUndefined, nodes

from portal import page
from portal.web import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRONMENTS: Final = {"site": page._environment("zh"), "web": pages._environment("zh")}
_FOLDERS: Final = {"site": page.TEMPLATES, "web": pages._OWN}
_TEMPLATES: Final = [
    (name, file.name) for name, folder in _FOLDERS.items() for file in sorted(folder.glob("*.html"))
]


def parsed(environment: Environment, template: str) -> nodes.Template:
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, template)
    return environment.parse(source)


def exported(environment: Environment, template: str) -> set[str]:
    """Return the names that an import of a template gives: never those it imports itself."""
    tree = parsed(environment, template)
    macros = {node.name for node in tree.find_all(nodes.Macro)}
    targets = (n.target for n in tree.body if isinstance(n, nodes.Assign))
    return macros | {t.name for t in targets if isinstance(t, nodes.Name)}


def imports(environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield every name that a template is imported under, and which template that is."""
    for template in environment.list_templates(extensions=["html"]):
        for node in parsed(environment, template).find_all(nodes.Import):
            assert isinstance(node.template, nodes.Const)
            yield node.target, str(node.template.value)


@pytest.mark.parametrize("name", _ENVIRONMENTS)
def test_an_undefined_name_is_an_error(name: str) -> None:
    assert _ENVIRONMENTS[name].undefined is StrictUndefined


@pytest.mark.parametrize(("name", "template"), _TEMPLATES)
def test_what_is_used_of_an_import_is_there(name: str, template: str) -> None:
    environment = _ENVIRONMENTS[name]
    found = dict(imports(environment))
    for node in parsed(environment, template).find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name in found:
            imported = found[node.node.name]
            assert node.attr in exported(environment, imported), (node.lineno, node.attr, imported)
