"""What happens next if nothing happens, in compiled code, as `streams/forecasting.py` finds it: time passes for a copy of the row."""

from schemas.compiling import compiled
from streams.earned import Claim, Standing
from streams.forecasting import MOST_CHANGES
from streams.forward.cells import NOWHERE, State, whole
from streams.forward.passing import DONE, DOSSIER, FULL, happen
from streams.forward.plan import CLOCK, FORESEEN, LOW
from streams.forward.scoring import score_span
from streams.forward.search import HORIZON_MS, is_covered, next_change
from streams.forward.tales import (
    ACCOUNT,
    AFTER,
    AT,
    BEFORE,
    BY_DECAY,
    BY_TRIGGER_END,
    BY_WINDOW,
    CAUSE,
    CHANGE,
    CLAIMED,
    DETAIL,
    FORECAST,
    OF_DETAIL,
    RECORD,
    SCHEME,
    STOOD,
    WHAT,
    About,
    Tales,
    Why,
    tell,
)


@compiled
def foretell(state: State, future: State, tales: Tales, dreams: Tales, first: int) -> int:
    """For each scheme whose tier changed in the tales from `first` on, what comes next; how it ended."""
    last = tales.written[0]
    for place in range(first, last):
        if tales.heads[place, WHAT] == CHANGE and _is_last(tales, place, last):
            ended = _foretell(state, future, tales, dreams, place)
            if ended != DONE:
                return ended
    return DONE


@compiled
def _is_last(tales: Tales, place: int, last: int) -> bool:
    """Whether no later change is of the same scheme."""
    for other in range(place + 1, last):
        if tales.heads[other, WHAT] == CHANGE and tales.heads[other, SCHEME] == tales.heads[place, SCHEME]:
            return False
    return True


@compiled
def _foretell(state: State, future: State, tales: Tales, dreams: Tales, place: int) -> int:
    """The next change of the scheme of one change, told behind it."""
    scheme, record, account = tales.heads[place, SCHEME], tales.heads[place, RECORD], tales.heads[place, ACCOUNT]
    for word in range(state.words.size):
        future.words[word] = state.words[word]
    clock_ms = looked_ms = fresh_ms = whole(state.words, state.plan[CLOCK])
    for _ in range(MOST_CHANGES):
        if not is_covered(future, fresh_ms):
            return DOSSIER
        due_ms, exact = next_change(future, looked_ms)
        if due_ms > clock_ms + HORIZON_MS:
            return DONE
        looked_ms, fresh_ms = due_ms - 1, due_ms
        if not exact:
            continue
        dreams.written[0] = 0
        ended = happen(future, dreams, record, account, due_ms, True)
        if ended != DONE:
            return ended
        for dream in range(dreams.written[0]):
            if dreams.heads[dream, WHAT] == CHANGE and dreams.heads[dream, SCHEME] == scheme:
                return _told(state, future, tales, dreams, dream)
        looked_ms = fresh_ms = whole(future.words, future.plan[CLOCK])
    return DONE


@compiled
def _told(state: State, future: State, tales: Tales, dreams: Tales, dream: int) -> int:
    """Tell what was dreamt."""
    head = dreams.heads[dream]
    scheme, cause = head[SCHEME], head[CAUSE]
    why = Why(head[RECORD], head[ACCOUNT], cause, head[DETAIL], head[OF_DETAIL])
    keeps_micro = _points_to_keep(state, scheme) if cause in (BY_DECAY, BY_TRIGGER_END, BY_WINDOW) else NOWHERE
    forecast = About(FORECAST, scheme, NOWHERE, head[BEFORE], head[AFTER], 0, head[AT], keeps_micro)
    stood = Standing(head[STOOD], head[STOOD + 1], head[STOOD + 2])
    claim = Claim(head[CLAIMED], head[CLAIMED + 1], head[CLAIMED + 2])
    return DONE if tell(future, tales, why, forecast, stood, claim) else FULL


@compiled
def _points_to_keep(state: State, scheme: int) -> int:
    """How far the score falls below what the tier needs within the policy's horizon; NOWHERE if points alone do not decide."""
    low_micro, clock_ms = whole(state.words, state.plan[scheme + LOW]), whole(state.words, state.plan[CLOCK])
    if low_micro <= 0:
        return NOWHERE
    lowest, _ = score_span(state, clock_ms, clock_ms + state.plan[FORESEEN])
    return max(low_micro - lowest, 0)
