"""Events folded into ranked rows: who, how often, how bad, since when.

``Top`` (top.py) is the engine: ``take`` a batch, ``lost``, ``tick``, or ``hear`` any message of a stream; ``report`` on
one program or on ``ALL``; ``fold_by`` another key, ``zero``. ``keys`` (keys.py) are what a program can be folded by,
``columns`` (columns.py) what its rows look like, ``Order`` (order.py) keeps them still on a screen. A ``Report``
(report.py) is plain data.

Inside, a batch becomes ``Events``; each ``Fold`` hashes the parts of its key for all of them at once, finds their
``rows`` and adds up: since the start in ``rows``, by time in ``slots``, waits in ``waits``, the commonest names in
``common``. ``search`` tells a search along PATH from failures. Nothing is done for one event in Python.
"""
