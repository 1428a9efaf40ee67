"""Words that decide whether capitals are a ticker and whether a name ends: acronyms, indices, coins, headline verbs.

Each is a class of words of the language of releases, never the name of a company. It decides nothing itself.
"""

from __future__ import annotations

_NOT_TICKERS = (
    "FDA CEO CFO COO CTO CSO CMO SEC IPO USA US UK EU EMA ASCO ESMO ASH AACR AHA DOJ FTC EPA WHO CDC NIH NYSE AMEX "
    "OTC TSX ETF ETFS AI ESG LLC INC PLC LTD CORP NEWS THE AND FOR NEW Q IR PR TV EST PST EDT ET PT GMT A I NASDAQ "
    "SPAC REIT ADS ADR GAAP EPS BLA NDA IND PDUFA USPTO NATO BARDA DOD VA CMS")
_INDICES = "NBI IXIC NDX SPX RUT DJI DJIA COMP XBI IBB"  # named in releases with their exchange: "(Nasdaq: NBI)"
_COINS = "BTC ETH SOL XRP DOGE ADA BNB USDT USDC SHIB AVAX LTC TRX DOT LINK SUI TON HYPE"
_MONEY = "US USD CAD AUD NZD SGD HKD CA AU C A M B K MM BN T"
ACRONYMS = frozenset(_NOT_TICKERS.split())
INDICES = frozenset(_INDICES.split())
NOT_AFTER_DOLLAR = frozenset(f"{_COINS} {_MONEY}".split())

_HEADLINE_VERBS = (
    "announces announce announced reports report reported receives receive received provides completes completed "
    "closes closed prices priced enters entered signs signed appoints names named launches launched wins awarded "
    "secures acquires acquired agrees files filed submits presents initiates begins starts expands extends grants "
    "granted achieves achieved posts delivers raises raised cuts lowers reaffirms confirms updates declares regains "
    "gains gets obtains unveils introduces partners collaborates joins sells buys plans intends proposes commences "
    "upsizes increases doubles reaches surpasses doses enrolls highlights publishes shares stock jumps surges soars "
    "falls drops plunges plummets tumbles slides sinks rises rallies climbs to will has is and & with hosts issues "
    "adopts advances amends approves discovers drills intersects divests exercises explores successfully today first "
    "second third fourth full q1 q2 q3 q4 preliminary enter combine merge says sees reiterates terminates halts "
    "pauses discontinues voluntarily effects implements sets schedules responds comments discloses faces misses beats "
    "tops subsidiary phase fda's ceo board shareholders stockholders regarding strengthens accelerates selected "
    "chosen establishes outlines deploys opens resumes suspends withdraws rejects urges sued lands inks bags nears "
    "hits rolls")
HEADLINE_VERBS = frozenset(_HEADLINE_VERBS.split())
_NOT_ACTING = "has is hosts shares highlights updates reports shareholders stockholders fda's launches hits gains"
ACTING = frozenset(word for word in HEADLINE_VERBS if word[-1] == "s") - frozenset(_NOT_ACTING.split())  # never nouns
_DEAL_WORDS = (
    "acquire acquires acquiring acquisition merger merge merges merging combine takeover buy buys buying acquired "
    "purchase stake stakes interest combination")
DEAL_WORDS = frozenset(_DEAL_WORDS.split())
_FOLLOWERS = "for in at by from as on into or of through under"
FOLLOWERS = HEADLINE_VERBS | frozenset(_FOLLOWERS.split())
LINKS = frozenset(("and", "with", "by", "of", "for", "from", "into", "&"))
CONNECTING = LINKS | DEAL_WORDS

_SECTORS = (
    "therapeutics pharmaceuticals pharmaceutical pharma biosciences bioscience biopharma biopharmaceuticals "
    "biotherapeutics biotech biotechnology biotechnologies biologics bio sciences lifesciences life oncology medicines "
    "medical health healthcare diagnostics genetics genomics immunotherapeutics immunotherapies immuno vaccines "
    "biomedical biomed therapies technologies technology labs laboratories energy resources mining minerals metals "
    "lithium uranium holdings holding group international systems solutions networks software robotics semiconductor "
    "semiconductors industries brands enterprises entertainment motors devices surgical scientific")
SECTORS = frozenset(_SECTORS.split())  # words that say in what trade a company is, and not which one it is
_GOES_ON = (
    "capital partners ventures bank fund funds trust university hospital foundation institute association college "
    "school clinic center centre advisors investments acquisition realty properties estate street city county park "
    "ag gmbh kgaa india japan china canada korea australia uk germany france brasil brazil mexico pakistan nigeria "
    "malaysia thailand indonesia bangladesh kenya ghana egypt turkey russia philippines asia europe africa")
GOES_ON = SECTORS | frozenset(_GOES_ON.split())  # behind a known name they make the name of somebody else
_AUTHORITIES = (
    "fda administration commission ema nasdaq nyse sec usda epa doj ftc nih barda dod government ministry court "
    "agency mhra nmpa pmda tga uspto cms cdc department army navy faa fcc bis")
AUTHORITIES = frozenset(_AUTHORITIES.split())  # what they do, they do to the company that the title names
_ORDINARY = """
    abbott accelerate accelerated accredited achieve acorn acreage acumen acuity adaptive aesthetic affirm agile agora
    albany align alignment alliant allied alpha alphabet altitude amber amplitude analog anchor andersons apex apollo
    appreciate arcadia archrock argan aries arise arrival arrow arrowhead array artisan ascend assembly assure astral
    atlas atlantic augusta aurora austin authentic autonomous avenue aware axis axon azure babylon balance bandwidth
    banner bargain beacon beam beacons belden berkeley bicycle blackberry blackline blend bloom blue bluebird bluejay
    blueprint booking boundless bowman brady brave bridge bright brunswick bubble buckle builder bumble caesars
    caledonia canopy cantaloupe capitol capricorn carbon cardinal cargo caribou carpenter carrier carters caterpillar
    century champion champions chance change charge chargepoint charlies charm chart checkpoint cheer chemours cipher
    citrine civic clarity clear clearance clearway climb cloud coherent collective colliers columbia comfort compass
    complete concord conduent conduit confluent connect conquest constellation contact context continental copper core
    correlate cosmos costar courier craft crane creative credo crescent crown culture cumberland cure curative cycle
    dawn decentral definitive delta denali designer destiny detour devon diamond diamondback digital discover dixie
    dominion dover dragon dragonfly dream duluth dynamic eagle earth east easy eclipse edge edwards effector elastic
    elevance elevate elevation elite embrace emerald empire employers enact encompass encore endeavor endeavour
    endurance energy engage engine enhance enigma ensign enterprise entrada entree entrepreneur envision envoy epsilon
    equator equinox equitable equity escalade essential establishment eternal evolve exact excelerate exceed excel
    expedition express extreme fabric factor falcon farmhouse fastly federal fellow ferguson field finch first flex
    fluence fluent flutter focus foghorn forest forge fortitude fortune forum forward fossil foster founders foundry
    free freedom fresh friedman frontier frontline fulcrum fundamental fusion future galaxy gartner gator gauzy gemini
    general generate generation genesis genetic genie georgia gibraltar glimpse global globe glory glucose gold golden
    gorilla gossamer grace graco grail grand granite gravity great green greenland greenway grid guardian guardion guess
    guide guided guild gulf harbor hard harmony harrow harvest hawkeye hawkins headwater healing heart helix herald
    heritage heron hertz hess highway hill hillcrest hilltop holley home homestead honest horizon humble hunter
    huntsman hype icon iconic ideal illuminate imagine immune impact imperial independent index indie infinite infinity
    information ingenuity inhibitor innovate insight inspire inspired instinct integer integral intensity interface
    intest intuition invest investar invitae invite iris iron island ivory jacobs jaguar jasper jet journey jupiter
    kernel key keystone kingdom kirby knowledge lakeside lantern large latch lattice laurel leaf league legacy legend
    legible lemonade leopard level lever leverage liberty lifetime light lighthouse lightning lindsay linkage lion
    liquid logic lotus lucid lumen luminary lunar magna magnet magnite maiden main majestic manitou manuka maple mark
    markel marker marvel mason massive master match matrix maverick maximus mccormick meadow medal mega melody mercury
    merit meridian metal middle midland midnight milestone million mirage mission mobile model modern modular moment
    momentous momentus monarch monopar moonlight moon morningstar morphic motion mountain movado mural myriad mystic
    nano narrow nascent national nature nautilus navigator neon neptune nerdy network neutral newell newmark newmarket
    next nimble noble noodles nordic nova novel oasis oblong obsidian ocean oracle orbit orchard orchestra organic
    origin orion outbrain outlook outset outside overture owl pacific palisade panacea parable paradigm paragon
    paramount parsons passage patch patrick patriot peabody peak pearl pearson pegasus pelican peloton penguin pennant
    peregrine perimeter perpetual perpetua perspective phenix phoenix photon pilgrim pillar pine pinnacle pioneer pixel
    planet platinum plexus polar polaris popular porch portage portal portillos poseidon post powell power precision
    predictive premier premium presidio pressure prestige pride primary prime primo principal prism privia progress
    progressive prologue promise prospect protagonist prudent pulse pure quality quantum quartz quest quick quiet radian
    radiant radius rail rain rally range rapid raven reading ready real reality realm rebel rebus reckon recon recruit
    rectitude recursion red reeds reflect reflections regal regency regional regulus relay reliability reliant relief
    remark renew repay replay reserve reset resolute resource response retail retractable return revance revelation
    reverence revive revolution revolve rewalk rhythm ridge right rise river robust rocket rockwell rogue rollins roper
    rose royal rubric ruby rumble rumbleon safe safety sage sailor salient sapphire satellite savant scandium schmid
    scholar scholastic science scores scorpion scout seaboard seal search second secure seed select semblance senior
    sense sensor sentinel sentient sequel serve service shape sharps shattuck shell shield shift shimmer shine shockwave
    shuttle sierra sight sigma signal signature silence silver simple single singular skyline smart snail solaris solid
    solo sonic sonnet source southern southland sovereign spark special specificity spectral spectrum speed sphere
    spirit spring sprout square standard star steel stellar sterling stock stoke stone storm strategic stream stride
    strive strong structure stryker summit sun sunrise super superior supreme surge sustain swift symphony synergy
    synthetic tactile talent tandem tango tapestry target tech telesis tempest tenable tennant terra thermal thermon
    thrive tide tiger timber timberline titan toast together torch torrid total touch touchpoint tower track traction
    trade tradition transact transcat transcend transition transnational traverse treasure trend triangle tribune
    trident trilogy trillion trimble trinity trio triumph triton tropical true trust turbo turnstone tyler ultra union
    unique unison united unity universal universe upbound uphill upland upright upside upstart urban utility valiant
    valley value vanguard vantage vector velocity venture venus verge vermilion verona versatile verse vertex veteran
    victor victory view vigil village vince vintage virtual virtue visible vision visionary vista vital vivid vortex
    voyager wagner water waterdrop waters wave weatherford webster welcome wellness werewolf west western whirlpool
    white wide winners wing wireless wise wonder woodward worker workhorse workday world worlds worth yellow young
    zebra zenith zephyr"""
ORDINARY = frozenset(_ORDINARY.split())  # words and places: one of them alone names no company
_LABELS = (
    "PRICE UPDATE ALERT NEWS WATCH FLASH BRIEF BREAKING LIVE VIDEO AUDIO POLL FACT MEDIA NOTE DEAL MOVES STOCK "
    "REPLAY RECAP INFO TODAY CHART IMF OPEC UN GDP CPI PPI PMI FED ECB BOE BOJ FOMC EV COVID HIV WTO OECD")
HEADLINE_LABELS = frozenset(_LABELS.split())  # capitals before a colon that head a title and are no ticker
OWNED = frozenset(("subsidiary", "company", "unit", "affiliate", "spinout"))
