"""The two methods that the hook has for each endpoint: one for threads, one for coroutines."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import Parameter, Signature, signature
from typing import Any, Concatenate, ParamSpec, TypeVar

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook

P = ParamSpec("P")
T = TypeVar("T")
SyncMethod = Callable[Concatenate[Any, P], T]
AsyncMethod = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


def endpoint_methods(make: Callable[P, api.Call[T]]) -> tuple[SyncMethod[P, T], AsyncMethod[P, T]]:
    """Make the two methods of an endpoint, with its parameters and its docstring."""

    def method(hook: DingTalkBaseHook, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return hook.run(make(*args, **kwargs))

    async def amethod(hook: DingTalkBaseHook, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await hook.arun(make(*args, **kwargs))

    _copy_signature(make, signature(make), method, amethod)
    return method, amethod


def configured_methods(
    make: Callable[Concatenate[ConnectionSettings, P], api.Call[T]],
) -> tuple[SyncMethod[P, T], AsyncMethod[P, T]]:
    """Make the two methods of an endpoint whose request depends on the connection, too."""

    def method(hook: DingTalkBaseHook, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return hook.run(make(hook.get_conn(), *args, **kwargs))

    async def amethod(hook: DingTalkBaseHook, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await hook.arun(make(await hook.aget_conn(), *args, **kwargs))

    _, *others = signature(make).parameters.values()
    _copy_signature(make, signature(make).replace(parameters=others), method, amethod)
    return method, amethod


def _copy_signature(make: Callable[..., Any], given: Signature, method: Any, amethod: Any) -> None:
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY), *given.parameters.values()]
    shown = given.replace(parameters=parameters, return_annotation=Signature.empty)
    for name, function in ((make.__name__, method), (f"a{make.__name__}", amethod)):
        function.__signature__ = shown
        function.__name__ = function.__qualname__ = name
        function.__doc__ = make.__doc__
