"""Sends the notices that are due to each target that this process can reach, one after the other."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from contact_pipeline.errors import Refusal
from contact_pipeline.notices import queue
from contact_pipeline.notices.deliver import NotSent, check_address, deliver, must_be_installed
from contact_pipeline.notices.queue import Notice
from contact_pipeline.notices.rules import NoAddress, Rules, check_rules, read_rules
from contact_pipeline.notices.words import message, test_message
from contact_pipeline.profiles.problems import meant
from contact_pipeline.settings import Settings
from contact_pipeline.store import Store

_BUSY_SECONDS: Final = 5.0  # to wait for the contact database


@dataclass(slots=True)
class Sending:
    """The result of sending.

    Attributes:
        sent: how many notices were sent.
        problems: target → why it got none, or not all.
        waiting: how many notices still wait.
    """

    sent: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    waiting: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The result as a JSON document."""
        problems = [{"target": target, "problem": problem} for target, problem in self.problems.items()]
        return {"sent": self.sent, "waiting": self.waiting, "problems": problems}


def send(store: Store, *, seconds: float | None = None, due: bool = True, again: bool = False) -> Sending:
    """Sends the waiting notices. After a failure, a target gets no further notice until the next call.

    Args:
        store: the store.
        seconds: time after which no further notice is begun; unset: no limit.
        due: whether to leave notices whose next try is later.
        again: whether to send also notices that failed, or that may have arrived.

    Raises:
        Refusal: `notices.yaml` is missing or cannot be used, or Apprise is not installed (`notices-missing`,
            `notices-broken`, `apprise-missing`). Nothing is lost.
        StoreBusy: the contact database was in use. Nothing is lost.
    """
    settings, result = store.settings, Sending()
    rules = read_rules(settings)
    must_be_installed()
    quick = Store(settings.model_copy(update={"lock_wait_seconds": min(settings.lock_wait_seconds, _BUSY_SECONDS)}))
    if again:
        queue.try_again(quick)
    addresses, unreachable = _addresses(rules, settings)
    if not due or queue.has_work(quick, addresses):
        queue.take_in(quick, rules, unreachable)
        ends = time.monotonic() + (seconds if seconds is not None else float("inf"))
        while addresses and time.monotonic() < ends:
            notice = queue.claim(quick, addresses, due=due)
            if notice is None:
                break
            problem = _sent(store, notice, addresses[notice.target])
            if problem is None:
                result.sent += 1
            else:
                result.problems[notice.target] = problem
                del addresses[notice.target]
    waiting = queue.count_waiting(quick)
    result.problems |= {target: why for target, why in unreachable.items() if waiting.get(target)}
    result.waiting = sum(waiting.values())
    return result


def check(settings: Settings) -> Rules:
    """The rules of `notices.yaml`, if this process can use every part of it. No server is contacted.

    Raises:
        Refusal: a part cannot be used (code `notices-broken`), or as `send`.
    """
    rules = read_rules(settings)
    must_be_installed()
    addresses, unreachable = _addresses(rules, settings)
    for target, address in addresses.items():
        try:
            check_address(address)
        except NoAddress as problem:
            unreachable[target] = str(problem)
    check_rules(rules, settings, unreachable)
    return rules


def send_test(settings: Settings, target: str) -> None:
    """Sends a test to one target, now.

    Raises:
        Refusal: there is no such target (code `target-unknown`), the test was not sent (`notice-not-sent`), or as
            `send`.
    """
    rules = read_rules(settings)
    if target not in rules.targets:
        hint = meant(target, rules.targets)
        known = f"Targets: {', '.join(rules.targets)}."
        raise Refusal("target-unknown", f"There is no target '{target}'.", f"{known} {hint.capitalize()}".strip())
    must_be_installed()
    try:
        address = rules.targets[target].address(settings.home)
        deliver(address, test_message(target, settings.home), settings.notice_seconds)
    except (NoAddress, NotSent) as problem:
        raise Refusal(
            "notice-not-sent", f"The test to {target} was not sent. {problem}", "Correct that, and try it again."
        ) from None


def _sent(store: Store, notice: Notice, address: str) -> str | None:
    """Sends a claimed notice and records the result; returns why it was not sent, or None."""
    settings = store.settings
    try:
        deliver(address, message(notice.news, settings.home, served_at(settings)), settings.notice_seconds)
    except (NoAddress, NotSent) as problem:
        is_unsure = isinstance(problem, NotSent) and problem.is_unsure
        state = queue.record(store, notice, str(problem), is_unsure=is_unsure)
        return str(problem) if state == "waiting" else f"{problem} It is tried no more."
    except Exception as error:  # noqa: BLE001 - the library's error may contain the address
        queue.record(store, notice, said := f"Apprise ended with {type(error).__name__}.")
        return said
    except BaseException:
        queue.record(store, notice, "Sending it was interrupted; it may have arrived.", is_unsure=True)
        raise
    queue.record(store, notice)
    return None


def served_at(settings: Settings) -> str | None:
    """The address of `serve` for people: the one in the settings, or where a running `serve` listens."""
    if settings.address:
        return settings.address
    with suppress(OSError, ValueError):
        process, address = settings.served_path.read_text(encoding="utf-8").split()
        os.kill(int(process), 0)
        return address
    return None


def _addresses(rules: Rules, settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """Target → address, and unreachable target → why."""
    found: dict[str, str] = {}
    unreachable: dict[str, str] = {}
    for name, target in rules.targets.items():
        try:
            found[name] = target.address(settings.home)
        except NoAddress as problem:
            unreachable[name] = str(problem)
    return found, unreachable
