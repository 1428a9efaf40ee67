"""Books: the SQL behind an actor that would not fit beside its decisions. They read and write rows of one actor's
database within the transaction that they are given; what the rows mean is decided in core and by the actor.
"""
