"""What a framework itself says of an application's routes, as JSON on standard output.

    python introspect.py KIND SPEC [FOLDER]

KIND is a framework's name; SPEC is ``module:attribute``, where the attribute may be a call without arguments
(``app:create_app()``), or Django's settings module. FOLDER (default: the working directory) is put on the path and is
what the project's own handlers lie in. Each row: ``methods`` (empty: any), ``path`` with ``{name}`` placeholders,
``own`` (whether the handler is the project's), ``handler``. FastAPI's rows come with ``inputs`` from ``openapi()``.

The script stands alone: it runs under the Python of the application, which knows nothing of backaudit.
"""

# mypy: ignore-errors
from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import re
import sys

# The folder of this script holds modules that are called as libraries are (`requests`).
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != os.path.dirname(os.path.abspath(__file__))]

AUTOMATIC = {"HEAD", "OPTIONS"}


def load(spec):
    module, _, attribute = spec.partition(":")
    found = importlib.import_module(module)
    called = attribute.endswith("()")
    for part in attribute.removesuffix("()").split(".") if attribute else ():
        found = getattr(found, part)
    return found() if called else found


def whose(handler, folder):
    """Whether a handler is the project's own, and its name."""
    for _ in range(20):
        if isinstance(handler, functools.partial):
            handler = handler.func
        inner = getattr(handler, "__wrapped__", None) or getattr(handler, "__func__", None)
        if inner is None:
            break
        handler = inner
    target = handler if inspect.isclass(handler) or inspect.isroutine(handler) else type(handler)
    try:
        file = inspect.getsourcefile(target) or ""
    except TypeError:
        file = ""
    if not file and inspect.isclass(target):
        file = getattr(sys.modules.get(target.__module__), "__file__", "") or ""
    file = os.path.realpath(file)
    own = file.startswith(folder + os.sep) and "site-packages" not in file
    return own, "{}.{}".format(getattr(target, "__module__", ""), getattr(target, "__qualname__", ""))


def row(methods, path, handler, folder):
    own, name = whose(handler, folder)
    kept = sorted({method.upper() for method in methods} - AUTOMATIC)
    return {"methods": kept, "path": path, "own": own, "handler": name}


def angle(path):
    return re.sub(r"<(?:[^<>]*?:)?(\w+)>", r"{\1}", path)


def flask(spec, folder):
    app = load(spec)
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        inner = getattr(view, "view_class", None) or view
        closed = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
        resource = next((c for c in closed if hasattr(c, "view_class")), None)
        inner = resource.view_class if resource is not None else inner
        if hasattr(inner, "__self__"):
            inner = type(inner.__self__)
        yield row(rule.methods or (), angle(str(rule)), inner, folder)


def starlette(spec, folder):
    app = load(spec)
    yield from starlette_routes(app.routes, "", folder)


def starlette_routes(routes, prefix, folder):
    for route in routes:
        if hasattr(route, "effective_candidates"):
            # FastAPI keeps an included router as it is and works out the whole paths when it is asked.
            yield from starlette_routes(route.effective_candidates(), prefix, folder)
            continue
        route = getattr(route, "starlette_route", None) or route
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None)
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None and inner is not None:
            yield from starlette_routes(inner, path, folder)
            continue
        if endpoint is None:
            continue
        methods = getattr(route, "methods", None)
        if methods is None:
            kind = type(getattr(route, "original_route", route)).__name__
            methods = ["WEBSOCKET"] if "WebSocket" in kind else verbs(endpoint)
        yield row(methods, re.sub(r"\{(\w+):\w+\}", r"{\1}", path), endpoint, folder)


def verbs(cls):
    names = ("get", "post", "put", "patch", "delete")
    return [name.upper() for name in names if callable(getattr(cls, name, None))]


def fastapi(spec, folder):
    app = load(spec)
    paths = dict(openapi(app, ""))
    for found in starlette_routes(app.routes, "", folder):
        inputs = []
        for method in found["methods"]:
            operation = paths.get(found["path"], {}).get(method.lower())
            if operation is not None:
                inputs += [[p["in"], p["name"], p.get("required", False)] for p in operation.get("parameters", ())]
                inputs += [["body", "", True]] if "requestBody" in operation else []
                found["inputs"] = inputs
        yield found


def openapi(app, prefix):
    """The operations of an application and of those that it mounts."""
    for path, operations in app.openapi().get("paths", {}).items():
        yield prefix + path, operations
    for route in app.routes:
        inner = getattr(route, "app", None)
        if hasattr(inner, "openapi") and hasattr(route, "path") and not hasattr(route, "endpoint"):
            yield from openapi(inner, prefix + route.path)


def django(spec, folder):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", spec)
    import django

    django.setup()
    from django.urls import get_resolver

    yield from django_patterns(get_resolver().url_patterns, "/", folder)


def django_patterns(patterns, prefix, folder):
    for entry in patterns:
        text = django_text(entry.pattern)
        path = (prefix[:-1] if prefix.endswith("/") and text.startswith("/") else prefix) + text
        if hasattr(entry, "url_patterns"):
            yield from django_patterns(entry.url_patterns, path, folder)
        else:
            yield from django_views(entry.callback, path, folder)


def django_text(pattern):
    route = getattr(pattern, "_route", None)
    if route is not None:
        return angle(str(route))
    if hasattr(pattern, "_regex"):
        return regex(str(pattern._regex))
    return "" if not getattr(pattern, "prefix_default_language", True) else str(pattern)


def django_views(callback, path, folder):
    found = callback
    while not any(hasattr(found, name) for name in ("actions", "cls", "view_class")) and hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    operations = getattr(getattr(found, "__self__", None), "operations", None)
    if operations is not None:
        for operation in operations:
            yield row(operation.methods, path, operation.view_func, folder)
        return
    actions = getattr(found, "actions", None)
    cls = getattr(found, "cls", None) or getattr(found, "view_class", None)
    if actions and cls is not None:
        for method in actions:
            yield row([method], path, cls, folder)
    elif cls is not None and cls.__name__ == "WrappedAPIView":
        yield row(verbs(cls), path, callback, folder)
    elif cls is not None:
        allowed = {name.upper() for name in getattr(cls, "http_method_names", ())}
        yield row([verb for verb in verbs(cls) if verb in allowed], path, cls, folder)
    else:
        yield row((), path, callback, folder)


def regex(text):
    """A regular expression as a path: groups become placeholders, anchors and escapes go."""
    shown, at, unnamed = [], 0, 0
    text = re.sub(r"^\^|\$$|\\Z$|\\A", "", text)
    while at < len(text):
        if text[at] == "(":
            depth, end = 0, at
            while end < len(text):
                if text[end] == "\\":
                    end += 1
                elif text[end] in "()":
                    depth += 1 if text[end] == "(" else -1
                    if depth == 0:
                        break
                end += 1
            body = text[at + 1 : end]
            named = re.match(r"\?P<(\w+)>", body)
            if not body.startswith("?:"):
                shown.append("{" + (named.group(1) if named else str(unnamed)) + "}")
                unnamed += 0 if named else 1
            at = end + 1
        elif text[at] == "\\":
            shown.append(text[at + 1 : at + 2])
            at += 2
        else:
            shown.append("" if text[at] in "?^$" else text[at])
            at += 1
    return "".join(shown)


def aiohttp(spec, folder):
    app = load(spec)
    for resource in app.router.resources():
        yield from aiohttp_resource(resource, folder)


def aiohttp_resource(resource, folder):
    inner = getattr(resource, "_app", None)
    if inner is not None:
        for below in inner.router.resources():
            yield from aiohttp_resource(below, folder)
        return
    for route in resource:
        methods = () if route.method == "*" else [route.method]
        cls = route.handler if inspect.isclass(route.handler) else None
        yield row(verbs(cls) if cls is not None else methods, resource.canonical, route.handler, folder)


def tornado(spec, folder):
    app = load(spec)
    for router in (app.default_router, app.wildcard_router):
        yield from tornado_rules(router.rules, folder)


def tornado_rules(rules, folder):
    for rule in rules:
        inner = getattr(rule.target, "rules", None)
        if inner is not None:
            if not hasattr(rule.target, "wildcard_router"):
                yield from tornado_rules(inner, folder)
        elif inspect.isclass(rule.target):
            base = sys.modules["tornado.web"].RequestHandler
            methods = [
                verb
                for verb in verbs(rule.target)
                if getattr(rule.target, verb.lower()) is not getattr(base, verb.lower())
            ]
            socket = [cls for cls in rule.target.__mro__ if cls.__name__ == "WebSocketHandler"]
            yield row(["WEBSOCKET"] if socket else methods, regex(rule.matcher.regex.pattern), rule.target, folder)


def sanic(spec, folder):
    app = load(spec)
    app.router.reset()
    app.finalize()
    for route in app.router.routes:
        handler = route.handler
        view = getattr(handler, "view_class", None)
        socket = getattr(route.extra, "websocket", False)
        path = "/" + re.sub(r"<(\w+)(?::[^<>]*)?>", r"{\1}", route.path.lstrip("/"))
        yield row(["WEBSOCKET"] if socket else route.methods, path, view or handler, folder)


def litestar(spec, folder):
    app = load(spec)
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        handlers = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
        for handler in handlers:
            methods = getattr(handler, "http_methods", None) or (
                ["WEBSOCKET"] if "WebSocket" in type(route).__name__ else ()
            )
            yield row(methods, path, getattr(handler, "fn", handler), folder)


def falcon(spec, folder):
    from falcon.inspect import inspect_app

    app = load(spec)
    found = []

    def walk(nodes):
        for node in nodes:
            if node.resource is not None:
                found.append(node)
            walk(node.children)

    walk(app._router._roots)
    assert len(found) >= len(inspect_app(app).routes) - 2
    for node in found:
        for method, responder in (node.method_map or {}).items():
            if hasattr(responder, "__self__"):
                yield row([method], re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", node.uri_template), responder, folder)


def bottle(spec, folder):
    app = load(spec)
    for route in app.routes:
        mounted = route.config.get("mountpoint.target") or route.config.get("mountpoint", {}).get("target")
        if mounted is not None:
            prefix = (route.config.get("mountpoint.prefix") or route.config["mountpoint"]["prefix"]).rstrip("/")
            for inner in mounted.routes:
                yield row([inner.method], prefix + bottle_path(inner.rule), inner.callback, folder)
            continue
        yield row([] if route.method == "ANY" else [route.method], bottle_path(route.rule), route.callback, folder)


def bottle_path(rule):
    rule = re.sub(r"<(\w+)(?::[^<>]*)?>", r"{\1}", rule)
    return re.sub(r":(\w+)", r"{\1}", rule)


def pyramid(spec, folder):
    app = load(spec)
    introspector = app.registry.introspector
    routes = {
        item["introspectable"]["name"]: item["introspectable"] for item in introspector.get_category("routes") or ()
    }
    for item in introspector.get_category("views") or ():
        view = item["introspectable"]
        route = routes.get(view["route_name"])
        if route is None:
            continue
        methods = view["request_methods"] or route["request_methods"] or ()
        methods = [methods] if isinstance(methods, str) else methods
        path = "/" + re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}|\*(\w+)", r"{\1\2}", route["pattern"].lstrip("/"))
        yield row(methods, path, view["callable"], folder)


def connexion(spec, folder):
    app = load(spec)
    _, found = app.middleware._build_middleware_stack()
    for part in found:
        if type(part).__name__ == "RoutingMiddleware":
            yield from connexion_routes(part.router, "", folder)
    for rule in app.app.url_map.iter_rules():
        view = app.app.view_functions.get(rule.endpoint)
        if view is not None:
            yield row(rule.methods or (), angle(str(rule)), view, folder)


def connexion_routes(router, prefix, folder):
    for route in router.routes:
        inner = getattr(route, "app", None)
        if hasattr(route, "methods"):
            operation = getattr(route.endpoint, "operation_id", None)
            handler = load(":".join(operation.rsplit(".", 1))) if operation else route.endpoint
            yield row(route.methods or (), re.sub(r"\{(\w+):\w+\}", r"{\1}", prefix + route.path), handler, folder)
        elif inner is not None:
            while hasattr(inner, "router"):
                inner = inner.router
            yield from connexion_routes(inner, prefix + route.path, folder)


KINDS = {
    found.__name__: found
    for found in (
        aiohttp, bottle, connexion, django, falcon, fastapi, flask, litestar, pyramid, sanic, starlette, tornado,
    )
}  # fmt: skip


def main():
    kind, spec = sys.argv[1:3]
    folder = os.path.realpath(sys.argv[3] if len(sys.argv) > 3 else ".")
    sys.path.insert(0, folder)
    # What an application prints while it is imported is not the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    rows = list(KINDS[kind](spec, folder))
    json.dump(rows, out)
    out.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
