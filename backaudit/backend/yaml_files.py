"""Files of YAML (and so of JSON) that a back end is described by, each parsed once."""

from __future__ import annotations

from backaudit.extract.yaml import YamlNode, parse_yaml
from backaudit.facts.files import FileFacts
from backaudit.facts.place import Place
from backaudit.project import Project


def yaml_documents(project: Project, file: FileFacts) -> tuple[YamlNode, ...]:
    """The documents of a file; that one cannot be read is told."""
    return project.once_of(_parsed, file.path)


def _parsed(project: Project, path: str) -> tuple[YamlNode, ...]:
    found, unread = parse_yaml(project.facts[path].text)
    if unread:
        place = Place.at_line(path, unread)
        project.not_asked(place, "what this document says, and those behind it, since it is no valid YAML.")
    return found
