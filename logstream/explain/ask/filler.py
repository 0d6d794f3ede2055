"""Words that carry no condition, and words that the grammar uses: none of them is searched."""

from logstream.explain.ask.words import word_set

ARTICLES = word_set(
    """a an the this that these those any some all every each both either my our your their its
    his her such other same own"""
)
PREPOSITIONS = word_set(
    """of for from in on at by to with within into onto over during across per via through about
    regarding concerning between among under against around as than then upon throughout towards
    toward out up off related belonging coming after before since until till"""
)
JOINTS = frozenset({"and", "or", "nor", "&", ",", ";", "plus", "also", "/"})
VERBS = word_set(
    """show me give list find get display return fetch see view tell look looking search searching
    please can could would should will shall may might must do does did done doing is are was were
    be been being am has have had having want wanted need needs like let lets us i we you they it he
    she them who whom whose what which when where why how what's where's who's how's there here
    that's it's i'd i'm we're know check check help pull bring print dump open make
    happen happened happening happens occur occurs occurred occurring appear appears appeared
    appearing exist exists existed contain contains contained containing include includes included
    including mention mentions mentioned mentioning match matches matching matched say says said
    saying hold holds come comes came got experienced experience experiencing encounter encountered
    encounters see saw seen perform performed performing result resulted resulting trigger triggered
    triggering cause caused causing report reported reporting record recorded raise raised emit
    emitted produce produced write written receive received-by detect detected identify identified
    log logs logged logging logline loglines line lines message messages entry entries event events
    record records row rows instance-of instances-of occurrence occurrences data info-about
    information detail details result results item items thing things stuff case cases attempt
    attempts time times go goes going went made take takes took taken use used using
    run-by application applications app apps service services component components microservice
    microservices system systems environment environments env host hosts hostname hostnames server
    servers machine machines field fields value values type types kind kinds level levels severity
    severities text string strings word words phrase phrases name names named called id ids
    equal equals where relating regarding ever actually currently current now just only really
    very much many most more less few lot lots quite still yet already always often sometimes again
    too well ok okay hello hi hey thanks thank timestamp timestamps
    if else so but because while anything anyone everything something somebody anybody everyone
    someone one ones latest newest recent recently new old first last next past previous ago today
    yesterday day days hour hours minute minutes second seconds week weeks month months
    total overall unique distinct different various respectively etc e.g i.e source sources
    returned returning returns gave gives instead narrow compare right
    amount quantity along together frequency frequently frequent number numbers"""
)
# Words that say little alone: searched only where a pattern has them beside others.
WEAK = word_set(
    """ends end starts begins
    attempt attempts attempted event events request requests time times take taken took used use
    detected received detect receive result results user users server servers host hosts level
    application service services produced written performed identified log logged made data file
    number seconds instance instances node nodes ip ips address addresses source
    reason reasons phase stage process processes run runs executed execution status code codes
    activity activities operation operations call calls client clients customer customers people
    region regions zone version versions sku country latency latencies duration
    person name username usernames count per source pass thing value"""
)
NEGATIONS = word_set(
    """not no without except excluding exclude excludes excluded ignore ignoring hide hiding omit
    omitting minus never isn't aren't wasn't weren't doesn't don't didn't haven't hasn't nor neither
    skip skipping drop dropping remove removing cannot can't won't"""
)
# The two words of a negation that needs both.
NEGATION_PAIRS = frozenset(
    {
        *(("other", "than"), ("apart", "from"), ("aside", "from"), ("filter", "out")),
        *(("leave", "out"), ("leaving", "out"), ("filtering", "out"), ("rather", "than")),
        *(("anything", "but"), ("everything", "but"), ("all", "but"), ("outside", "of")),
        *(("instead", "of"), ("get", "rid"), ("rid", "of"), ("ruling", "out"), ("rule", "out")),
    }
)
FILLER = ARTICLES | PREPOSITIONS | JOINTS | VERBS | NEGATIONS
