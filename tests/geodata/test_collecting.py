"""Garbage collection is put off, and goes on after the last one out."""

import gc
import threading

import pytest

from geodata.collecting import collecting_later


def test_nothing_is_collected_inside_and_everything_afterwards() -> None:
    assert gc.isenabled()
    with collecting_later():
        assert not gc.isenabled()
        with collecting_later():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the outer one is still inside"
    assert gc.isenabled()


def test_an_error_inside_lets_the_collector_go_on() -> None:
    with pytest.raises(ValueError, match="inside"), collecting_later():
        raise ValueError("inside")
    assert gc.isenabled()


def test_whoever_had_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with collecting_later():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_last_of_several_threads_lets_it_go_on() -> None:
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with collecting_later():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=stay)
    other.start()
    assert entered.wait(10)
    with collecting_later():
        pass
    assert not gc.isenabled()
    leave.set()
    other.join()
    assert gc.isenabled()
