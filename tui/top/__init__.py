"""Events folded into ranked rows: who, how often, how bad, since when.

``Top`` (top.py) is the engine. ``take`` folds a batch, ``lost`` counts lost events, ``tick`` sets the time, and
``hear`` takes any message of a stream. ``report`` describes one program or ``ALL``; ``fold_by`` changes the key, and
``zero`` counts anew. keys.py defines the keys that a program can be folded by, columns.py the columns of its rows;
``Order`` (order.py) keeps the rows still on a screen. A ``Report`` (report.py) is plain data.

A batch becomes ``Events``. Each ``Fold`` hashes the parts of its key for the whole batch, finds the rows and adds up:
since the start in ``rows``, by time in ``slots``, waits in ``waits``, the commonest names in ``common``. ``search``
tells searches along PATH from failed execs. No Python code runs per event.
"""
