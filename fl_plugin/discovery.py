"""Finds the one class in each file of a room, and what third parties add to it.

A new algorithm, rule, engine or report is a new file: nothing has to list it.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import TypeVar

from fl_plugin.errors import MeshError

T = TypeVar("T")


def discover(
    package: str, base: type[T], group: str | None = None
) -> dict[str, type[T]]:
    """Return the classes of a room that subclass `base`, by their `name`.

    Order: the room's files by name, then entry points by name. A class without a
    `name` of its own goes by its file's name. A file without such a class is skipped.

    Args:
        package: The room, such as "fl_plugin.policy.rules".
        base: What its classes subclass; abstract ones are not counted.
        group: Entry-point group in which other packages add theirs.

    Raises:
        MeshError: A file or plug-in fails to import, a file holds two classes, an
            entry point names something else, or two classes share a name.
    """
    found: dict[str, type[T]] = {}
    for origin, candidate in (*_in_room(package, base), *_in_group(group, base)):
        name = getattr(candidate, "name", None)
        key = name if isinstance(name, str) else origin.rpartition(".")[2]
        if key in found:
            raise MeshError(
                f"{origin} and {found[key].__module__} are both called {key}.",
                remedy="Uninstall one of the two packages, or rename its class.",
            )
        found[key] = candidate
    return found


def _in_room(package: str, base: type[T]) -> Iterator[tuple[str, type[T]]]:
    room = _import(package)
    for info in sorted(pkgutil.iter_modules(room.__path__), key=lambda i: i.name):
        origin = f"{package}.{info.name}"
        classes = _concrete(_import(origin), base)
        if len(classes) > 1:
            names = ", ".join(c.__name__ for c in classes)
            raise MeshError(
                f"{origin} holds more than one {base.__name__}: {names}.",
                remedy="Give each class a file of its own.",
            )
        yield from ((origin, c) for c in classes)


def _concrete(module: ModuleType, base: type[T]) -> list[type[T]]:
    return [
        member
        for _, member in sorted(vars(module).items())
        if inspect.isclass(member)
        and member.__module__ == module.__name__
        and issubclass(member, base)
        and member is not base
        and not inspect.isabstract(member)
    ]


def _in_group(group: str | None, base: type[T]) -> Iterator[tuple[str, type[T]]]:
    if group is None:
        return
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        try:
            loaded = point.load()
        except Exception as error:
            raise _broken(f"plug-in {point.name} ({point.value})", error) from error
        if not inspect.isclass(loaded) or not issubclass(loaded, base):
            raise MeshError(
                f"The plug-in {point.name} ({point.value}) is no {base.__name__}.",
                remedy=f"Name a subclass of {base.__name__}, or uninstall its package.",
            )
        yield point.value.replace(":", "."), loaded


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _broken(name, error) from error


def _broken(what: str, error: Exception) -> MeshError:
    return MeshError(
        f"The {what} cannot be imported ({type(error).__name__}).",
        remedy="Install what it needs, repair it, or uninstall its package.",
    )
