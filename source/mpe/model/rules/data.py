"""The data: CSVs and what they hold together."""

from mpe.model.rules.record import Rule

_GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg"

NO_DATA = Rule(
    "MPE-D001",
    "Each dataset has data, unless its data is optional",
    "An import has nothing to read otherwise.",
    f"{_GUIDE}/bulk-data-import-step.html",
)
TOO_LARGE = Rule(
    "MPE-D002",
    "A full import is within its size",
    "The service refuses more than 100 GB.",
    f"{_GUIDE}/limits.html",
)
LARGE = Rule(
    "MPE-D003",
    "An incremental import is within its size",
    "The first import is full and may be large; those after it may have 1 GB.",
    f"{_GUIDE}/limits.html",
    "warning",
)
UNREADABLE = Rule(
    "MPE-D004",
    "A file can be read as a CSV",
    "Rows that cannot be told apart cannot be imported.",
    f"{_GUIDE}/data-prep-formatting.html",
)
EMPTY_COLUMN = Rule(
    "MPE-D005",
    "A column has values in most rows",
    "The service's own analysis of data asks for 70% at least: with less, recommendations may get "
    "worse.",
    f"{_GUIDE}/analyzing-data.html",
    "note",
)
CATEGORIES = Rule(
    "MPE-D006",
    "A categorical column has so many categories as training can use",
    "The guide recommends a thousand at most: with more, recommendations may get worse.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
FEW = Rule(
    "MPE-D007",
    "There are 1,000 interactions",
    "Training fails with fewer, also where the same row is there twice.",
    f"{_GUIDE}/limits.html",
)
FEW_USERS = Rule(
    "MPE-D008",
    "There are 25 users with two interactions",
    "Training fails with fewer.",
    f"{_GUIDE}/limits.html",
)
SHARE = Rule(
    "MPE-D009",
    "One user in a hundred comes twice",
    "Training fails where nearly all users come once.",
    f"{_GUIDE}/limits.html",
)
RECOMMENDED = Rule(
    "MPE-D010",
    "There are as many interactions and users as the guide recommends",
    "With fewer the results are weak.",
    f"{_GUIDE}/domain-use-cases.html",
    "note",
)
EVENT = Rule(
    "MPE-D011",
    "There are 1,000 interactions of the event that is trained on",
    "Training fails with fewer after filtering by the event type.",
    f"{_GUIDE}/limits.html",
)
VARIETY = Rule(
    "MPE-D012",
    "Event types and columns of metadata are ten together",
    "The service refuses more in a dataset of interactions.",
    f"{_GUIDE}/limits.html",
)
VARIETY_OR_NOT = Rule(
    "MPE-D013",
    "Event types and all columns that one page counts are ten together",
    "One page of the guide counts more columns than another, and the service may go by either.",
    f"{_GUIDE}/limits.html",
    "warning",
)
REPEATED = Rule(
    "MPE-D014",
    "A row, or the key of one, is there once",
    "Only one of them counts, and which is not told.",
    f"{_GUIDE}/bulk-data-import-step.html",
    "warning",
)
NO_ID = Rule(
    "MPE-D015",
    "Ids of events are among those of the items, users or actions",
    "Where none is, they are written otherwise, and training learns nothing from the metadata.",
    "ours: the service imports such files, and nobody means it",
)
IDS = Rule(
    "MPE-D016",
    "Each id of an event is among those of the items, users or actions",
    "Without its row, training knows nothing of it but these events.",
    f"{_GUIDE}/items-datasets.html",
    "warning",
)
NESTED = Rule(
    "MPE-D017",
    "CSVs lie directly in their dataset's folder",
    "The service imports none from folders below it.",
    f"{_GUIDE}/bulk-data-import-step.html",
    "warning",
)
TO_COME = Rule(
    "MPE-D018",
    "No interaction is of a time to come",
    "It counts as newer than whatever users do now.",
    "ours: the service imports such times, and takes them for the newest",
    "warning",
)
MISSING = Rule(
    "MPE-D019",
    "The header has every column of the schema",
    "The import fails otherwise, since names must be the schema's exactly.",
    f"{_GUIDE}/data-prep-formatting.html",
)
COLUMN_TWICE = Rule(
    "MPE-D020",
    "The header has each column once",
    "Nobody could tell which of two is meant.",
    f"{_GUIDE}/data-prep-formatting.html",
)
COLUMN_ORDER = Rule(
    "MPE-D021",
    "The columns are in the order of the schema",
    "The guide asks for it.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
EXTRA = Rule(
    "MPE-D022",
    "The schema has each column of the header",
    "What the schema does not name is not imported.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
QUOTES = Rule(
    "MPE-D023",
    "The header's names are not in quotation marks",
    "They may become part of the names.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
PACKED = Rule(
    "MPE-D024",
    "A file is a CSV and not packed",
    "The service imports CSVs only.",
    f"{_GUIDE}/data-prep-formatting.html",
)
ENCODING = Rule(
    "MPE-D025",
    "A file is UTF-8",
    "The import fails with another encoding.",
    f"{_GUIDE}/data-prep-formatting.html",
)
RAGGED = Rule(
    "MPE-D026",
    "Each row has as many cells as the header",
    "A comma in a value without quotation marks moves all that follow it.",
    f"{_GUIDE}/data-prep-formatting.html",
)
UNENDED = Rule(
    "MPE-D027",
    "Each quotation mark is closed",
    "What follows would be read as one value.",
    f"{_GUIDE}/data-prep-formatting.html",
)
DOUBLED = Rule(
    "MPE-D028",
    "Quotation marks in text have a backslash before them",
    "The guide asks for it, and says nothing of doubled ones.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
BARE = Rule(
    "MPE-D029",
    "A backslash in text is written twice",
    "The guide asks for it: a single one changes what follows.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
EMPTY = Rule(
    "MPE-D030",
    "A cell is not empty where the schema allows no null",
    "The import fails otherwise.",
    f"{_GUIDE}/data-prep-formatting.html",
)
ACTION_EVENT = Rule(
    "MPE-D031",
    "An action is viewed, taken or not taken",
    "The service knows no other events of actions.",
    f"{_GUIDE}/action-interactions-datasets.html",
)
INTEGER = Rule(
    "MPE-D032",
    "A cell of whole numbers is a whole number",
    "The import fails where a value is not of its type.",
    f"{_GUIDE}/data-prep-formatting.html",
)
BEYOND = Rule(
    "MPE-D033",
    "A whole number fits in its type",
    "An int has 32 bits and a long 64.",
    "https://avro.apache.org/docs/1.11.1/specification",
)
NUMBER = Rule(
    "MPE-D034",
    "A cell of numbers is a number",
    "The import fails where a value is not of its type.",
    f"{_GUIDE}/data-prep-formatting.html",
)
BOOLEAN = Rule(
    "MPE-D035",
    "A cell of booleans is true or false",
    "The import fails where a value is not of its type.",
    f"{_GUIDE}/data-prep-formatting.html",
)
LONG = Rule(
    "MPE-D036",
    "A text is as long as its column takes",
    "The import fails with a longer one.",
    f"{_GUIDE}/limits.html",
)
CUT = Rule(
    "MPE-D037",
    "A textual value is as long as is read of it",
    "The service reads only its beginning.",
    f"{_GUIDE}/items-datasets.html",
    "warning",
)
RESERVED = Rule(
    "MPE-D038",
    "No value is the name of a reserved column",
    "The import refuses reserved words, and a second header is among the rows mostly.",
    f"{_GUIDE}/data-prep-formatting.html",
)
LINES = Rule(
    "MPE-D039",
    "A record is on one line",
    "The guide asks for it.",
    f"{_GUIDE}/data-prep-formatting.html",
    "warning",
)
SECONDS = Rule(
    "MPE-D040",
    "A time is in seconds",
    "Milliseconds would be times in thousands of years.",
    f"{_GUIDE}/data-prep-formatting.html",
)
OLD = Rule(
    "MPE-D041",
    "A time is after 1974",
    "An earlier one was seldom meant: days or hours are counted in its place.",
    "ours: the service imports such times, and trains on them",
    "warning",
)
LITTLE_TEXT = Rule(
    "MPE-D042",
    "A textual column has text in most rows",
    "The service's own analysis of data says that one that is filled by less than 85% is not used "
    "in training.",
    f"{_GUIDE}/analyzing-data.html",
    "warning",
)
ONE_TIME = Rule(
    "MPE-D043",
    "Not all interactions are of one time",
    "Nothing is learnt of what came first then, and recipes of user segments fail.",
    f"{_GUIDE}/analyzing-data.html",
    "warning",
)
ONE_TIME_FAILS = Rule(
    "MPE-D044",
    "Interactions that a user segment is trained on are not all of one time",
    "Training of these recipes fails otherwise.",
    f"{_GUIDE}/analyzing-data.html",
)
HIDDEN = Rule(
    "MPE-D045",
    "An id has no character that cannot be seen, and no space around it",
    "It is another id than the one that looks alike.",
    "ours: the service imports such ids, as ids of their own",
    "warning",
)
SHORTENED = Rule(
    "MPE-D046",
    "No id is a number that a spreadsheet has shortened",
    "Different ids become one: 4.00638E+12.",
    "ours: the service imports such ids",
    "warning",
)
