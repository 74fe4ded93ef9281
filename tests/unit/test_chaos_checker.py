"""The checker of `make chaos`: accounts that agree find nothing, and each single fault in them is found, and only it.

The proof must be able to fail: every row of the checker's table has a case here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.accounts import Accounts, Answer, Attempt, Copy, Event, Exchange, ReceivedEvent
from chaos.checker import WRONGS, check_accounts
from chaos.comparisons import PROVIDER_SAYS, STATUS, due
from chaos.pictures import digest
from chaos.plan import Request
from tests.unit.chaos_accounts import ENDPOINTS, OTHER_LISTS, copy, exchange, listed, received, right, row


def test_accounts_that_agree_find_nothing() -> None:
    verdict = check_accounts(right())
    assert verdict.findings == []
    assert verdict.unheard == 2, "nobody promised those: one is there, the other is not"
    assert verdict.ends == {"delivered": 8, "cancelled": 2, "failed": 4, "read": 2, "sent": 1}


def test_lists_that_agree_find_nothing() -> None:
    accounts = right()
    accounts.listed = listed(accounts)
    assert check_accounts(accounts).findings == []


def without_row(all_: Accounts) -> None:
    del all_.rows[0]
    all_.received[:] = [one for one in all_.received if one.subject != "omsg_1"]


def without_copy(all_: Accounts) -> None:
    del all_.copies[0]


def with_half_a_copy(all_: Accounts) -> None:
    all_.copies[0] = copy(1, words=1)


def with_two_copies(all_: Accounts) -> None:
    all_.copies.append(copy(3, id="SM33"))


def with_a_part_twice(all_: Accounts) -> None:
    all_.copies.append(copy(1, words=1, id="SM11"))


def sent_early(all_: Accounts) -> None:
    all_.copies[1] = copy(3, accepted=109.9)


def sent_before_the_time_it_was_moved_to(all_: Accounts) -> None:
    all_.copies[2] = copy(4, accepted=104.9)


def sent_though_cancelled(all_: Accounts) -> None:
    all_.copies.append(copy(2))


def cancelled_and_then_delivered(all_: Accounts) -> None:
    all_.rows[1] = row(2)
    all_.received[:] = received(all_.rows)
    all_.copies.append(copy(2))


def cancelled_after_the_client_was_answered_no(all_: Accounts) -> None:
    all_.rows[2] = row(3, "cancelled")
    all_.received[:] = received(all_.rows)
    del all_.copies[1]


def cancelled_by_nobody(all_: Accounts) -> None:
    all_.rows[0] = row(1, "cancelled")
    all_.received[:] = received(all_.rows)
    del all_.copies[0]


def attempted_after_erasure(all_: Accounts) -> None:
    all_.rows[5].attempts.append(Attempt("accepted", 120.0))


def not_quite_erased(all_: Accounts) -> None:
    all_.rows[5].remains = True


def still_queued(all_: Accounts) -> None:
    all_.rows[0] = row(1, "queued")
    all_.received[:] = received(all_.rows)
    del all_.copies[0]


def in_flight_for_ever(all_: Accounts) -> None:
    all_.rows[0].attempts.append(Attempt("in_flight", 101.0))


def temporal_never_notified(all_: Accounts) -> None:
    all_.rows[0].wake_pending = True


def running_for_ever(all_: Accounts) -> None:
    all_.running = frozenset({"omsg_1"})


def a_history_left(all_: Accounts) -> None:
    all_.rows[5].history = True


def still_sent(all_: Accounts) -> None:
    all_.rows[4] = row(5, "sent")
    all_.received[:] = received(all_.rows)


def delivered_says_only_us(all_: Accounts) -> None:
    all_.copies[3] = copy(5, status="undelivered")


def failed_without_a_cause(all_: Accounts) -> None:
    all_.exchanges[7] = exchange(8)


def given_up_although_delivered(all_: Accounts) -> None:
    all_.rows[4] = row(5, "gave_up", failure="expired")
    all_.received[:] = received(all_.rows)


def never_answered(all_: Accounts) -> None:
    all_.exchanges[2].answers[-1] = Answer("cancel", 110.1, 118.1, 0)


def refused_without_a_cause(all_: Accounts) -> None:
    all_.exchanges[2].answers[-1] = Answer("cancel", 110.1, 110.2, 404)


def repeated_into_a_second_message(all_: Accounts) -> None:
    all_.exchanges[4].answers.append(Answer("send", 120.0, 120.1, 201, "omsg_55"))


def a_second_row(all_: Accounts) -> None:
    all_.rows.append(row(5, "cancelled", id="omsg_56"))


def a_row_of_nobody(all_: Accounts) -> None:
    all_.rows.append(row(77))


def a_copy_of_nobody(all_: Accounts) -> None:
    all_.copies.append(copy(77))


def an_event_never_written(all_: Accounts) -> None:
    del all_.rows[0].events[0]
    all_.received[:] = received(all_.rows)


def an_event_never_received(all_: Accounts) -> None:
    all_.received.remove(next(one for one in all_.received if one.subject == "omsg_1" and one.endpoint == "flaky"))


def an_event_under_two_ids(all_: Accounts) -> None:
    all_.rows[0].events.append(Event("evt_other", "message.delivered", 105.0))
    all_.received[:] = received(all_.rows)


def an_event_under_an_id_nobody_wrote(all_: Accounts) -> None:
    all_.received.append(ReceivedEvent("good", "evt_unknown", "message.failed", "omsg_1", 106.0))


def events_received_out_of_order(all_: Accounts) -> None:
    first, second = (
        place for place, one in enumerate(all_.received) if one.subject == "omsg_1" and one.endpoint == "good"
    )
    all_.received[first], all_.received[second] = all_.received[second], all_.received[first]


def events_written_out_of_order(all_: Accounts) -> None:
    all_.rows[0].events.reverse()
    all_.received[:] = received(all_.rows)


def an_event_forged(all_: Accounts) -> None:
    all_.received[0] = replace(all_.received[0], genuine=False)


def a_delivery_left(all_: Accounts) -> None:
    all_.rows[0].pending.append("flaky")


def a_forgery_believed(all_: Accounts) -> None:
    all_.forged.append(Answer("forged", 101.0, 101.1, 200, "/v1/receipts"))


def texts(*stored: str | None) -> Callable[[Accounts], None]:
    """What PostgreSQL has of the texts."""
    return lambda all_: setattr(all_, "texts", stored)


def the_second_way_began_too_soon(all_: Accounts) -> None:
    all_.copies[6] = replace(all_.copies[6], failed=None, status="delivered")


def not_reminded(all_: Accounts) -> None:
    all_.rows[15].events[2:] = []
    all_.received[:] = received(all_.rows)
    del all_.copies[14]


def another_channel(all_: Accounts) -> None:
    all_.rows[16].channel = "sms"


def another_picture(all_: Accounts) -> None:
    all_.copies[8] = replace(all_.copies[8], files=(digest(1),))


def no_picture(all_: Accounts) -> None:
    all_.copies[8] = replace(all_.copies[8], files=())


def attempted_after_stop(all_: Accounts) -> None:
    all_.rows[11].attempts.append(Attempt("not_sent", 107.0))


def a_stop_lost(all_: Accounts) -> None:
    all_.rows[11].stopped = None


def never_shown(all_: Accounts) -> None:
    all_.apps[0].shown.clear()


def shown_twice(all_: Accounts) -> None:
    all_.apps[0].shown["omsg_23"] = 2


def a_device_notified_twice(all_: Accounts) -> None:
    all_.copies.append(copy(24, provider="fcm", status="sent", to="one", id="f24"))


def in_another_conversation(all_: Accounts) -> None:
    all_.written[2].text = replace(all_.written[2].text, number=0)
    all_.texts, all_.conversations = ("t00001", "t00000"), {"t00001": "cvs_1", "t00000": "cvs_9"}


def in_no_conversation(all_: Accounts) -> None:
    all_.rows[16].conversation = None


def a_text_refused(all_: Accounts) -> None:
    all_.written[1].answered = 403


CASES: list[tuple[Callable[[Accounts], None], str, str]] = [
    (without_row, "lost", "q00001"),
    (failed_without_a_cause, "lost", "q00008"),
    (cancelled_by_nobody, "lost", "q00001"),
    (without_copy, "never sent", "q00001"),
    (with_half_a_copy, "never sent", "q00001"),
    (with_two_copies, "twice", "q00003"),
    (with_a_part_twice, "twice", "q00001"),
    (sent_early, "early", "q00003"),
    (sent_before_the_time_it_was_moved_to, "early", "q00004"),
    (sent_though_cancelled, "after cancel", "q00002"),
    (attempted_after_erasure, "after erasure", "q00006"),
    (not_quite_erased, "after erasure", "q00006"),
    (still_queued, "stuck", "q00001"),
    (in_flight_for_ever, "stuck", "q00001"),
    (temporal_never_notified, "stuck", "q00001"),
    (running_for_ever, "stuck", "q00001"),
    (a_history_left, "after erasure", "q00006"),
    (still_sent, "wrong status", "q00005"),
    (delivered_says_only_us, "wrong status", "q00005"),
    (given_up_although_delivered, "wrong status", "q00005"),
    (cancelled_after_the_client_was_answered_no, "untrue answer", "q00003"),
    (never_answered, "untrue answer", "q00003"),
    (refused_without_a_cause, "untrue answer", "q00003"),
    (repeated_into_a_second_message, "second message", "q00005"),
    (a_second_row, "second message", "q00005"),
    (a_row_of_nobody, "second message", ""),
    (a_copy_of_nobody, "second message", ""),
    (an_event_never_written, "event missing", "q00001"),
    (an_event_never_received, "event missing", "q00001"),
    (an_event_under_two_ids, "event renamed", "q00001"),
    (an_event_under_an_id_nobody_wrote, "event renamed", "q00001"),
    (events_received_out_of_order, "event order", "q00001"),
    (events_written_out_of_order, "event order", "q00001"),
    (an_event_forged, "event forged", ""),
    (a_delivery_left, "delivery pending", "q00001"),
    (texts("t00003"), "text lost", "t00001"),
    (texts("t00001", "t00001"), "text twice", "t00001"),
    (texts("t00001", "t00003", "t00003"), "text twice", "t00003"),
    (texts("t00001", None), "text twice", ""),
    (the_second_way_began_too_soon, "two ways", "q00020"),
    (not_reminded, "never sent", "q00026"),
    (another_channel, "other channel", "q00027"),
    (another_picture, "other file", "q00021"),
    (no_picture, "other file", "q00021"),
    (attempted_after_stop, "after STOP", "q00022"),
    (a_stop_lost, "after STOP", "q00022"),
    (never_shown, "not shown", "q00023"),
    (shown_twice, "not shown", "q00023"),
    (a_device_notified_twice, "twice", "q00024"),
    *((spoil, "other list", token) for spoil, token in OTHER_LISTS),
    (in_another_conversation, "text astray", "t00001"),
    (in_no_conversation, "text astray", "q00027"),
    (a_text_refused, "untrue answer", "t00002"),
    (lambda all_: setattr(all_, "rejected", 1), "set aside", ""),
    (a_forgery_believed, "forgery believed", ""),
]


@pytest.mark.parametrize(("spoil", "wrong", "token"), CASES, ids=lambda case: getattr(case, "__name__", None))
def test_each_single_fault_is_found_and_nothing_else(spoil: Callable[[Accounts], None], wrong: str, token: str) -> None:
    accounts = right()
    spoil(accounts)
    assert {(finding.wrong, finding.token) for finding in check_accounts(accounts).findings} == {(wrong, token)}
    assert check_accounts(accounts).count(wrong) == 1


def test_a_cancel_that_was_granted_and_then_delivered_is_wrong_twice_over() -> None:
    accounts = right()
    cancelled_and_then_delivered(accounts)
    assert {finding.wrong for finding in check_accounts(accounts).findings} == {"after cancel", "untrue answer"}


def test_every_row_of_the_table_has_a_case() -> None:
    assert {wrong for _, wrong, _ in CASES} == WRONGS.keys()


# --- what is excused, and only that -----------------------------------------------------------------------------------


def mail(stage: str, failure: str | None, copies: list[Copy]) -> Accounts:
    one = Exchange(Request(1, 0.0, "email", "guest@example.com"), [Answer("send", 100.0, 100.1, 201, "omsg_1")])
    rows = [row(1, stage, channel="email", failure=failure)]
    return Accounts([one], rows, copies, received(rows), ENDPOINTS)


def test_a_mail_whose_answer_was_lost_may_end_unknown_but_not_one_that_arrived() -> None:
    verdict = check_accounts(mail("gave_up", "outcome_unknown", []))
    assert (verdict.findings, verdict.unknown) == ([], 1)
    arrived = mail("gave_up", "outcome_unknown", [copy(1, status="open", reported=frozenset())])
    assert check_accounts(arrived).count("wrong status") == 1


def test_but_not_when_a_receipt_came_and_not_for_a_text_message() -> None:
    reported = mail("gave_up", "outcome_unknown", [copy(1, status="open")])
    assert check_accounts(reported).count("wrong status") == 1
    text = mail("gave_up", "outcome_unknown", [])
    text.rows[0].channel = "sms"
    text.exchanges[0].request = replace(text.exchanges[0].request, channel="sms", recipient="+12121")
    assert check_accounts(text).count("lost") == 1


def test_no_silence_is_excused_but_an_opening_that_nobody_reported() -> None:
    silent = [copy(1, reported=frozenset())]
    assert check_accounts(mail("sent", None, silent)).count("wrong status") == 1
    unseen = [copy(1, status="open", reported=frozenset({"delivered"}))]
    assert check_accounts(mail("delivered", None, unseen)).findings == []
    assert check_accounts(mail("delivered", None, [copy(1, status="open")])).count("wrong status") == 1


def test_a_final_word_that_was_taken_back_without_a_callback_is_counted_and_excused() -> None:
    all_ = right()
    all_.rows[4] = row(5, "undelivered", failure="unreachable")
    all_.received[:] = received(all_.rows)
    all_.copies[3] = copy(5, status="delivered", reported=frozenset({"sent", "undelivered"}))
    verdict = check_accounts(all_)
    assert not verdict.findings
    assert verdict.recanted == 1
    all_.copies[3] = copy(5, status="delivered", reported=frozenset({"sent", "undelivered", "delivered"}))
    assert check_accounts(all_).count("wrong status") == 1


def test_the_time_it_may_go_out_is_the_last_that_was_granted_or_one_that_was_not_answered() -> None:
    moved = exchange(1, ahead=30.0)
    assert due(moved) == 130.0
    moved.answers.append(Answer("move", 101.0, 109.0, 0, due=120.0))
    assert due(moved) == 120.0, "the lost answer may have been a yes"
    moved.answers.append(Answer("move", 109.0, 109.1, 200, due=150.0))
    assert due(moved) == 150.0
    moved.answers.append(Answer("move", 111.0, 111.1, 409, due=115.0))
    assert due(moved) == 150.0
    moved.answers.append(Answer("move", 112.0, 112.1, 200, due=None))
    assert due(moved) is None


def test_every_word_of_a_provider_is_a_status() -> None:
    assert set(PROVIDER_SAYS.values()) <= set(STATUS.values())
