"""The words that answers are made of, in the languages that the texts of the library speak. Pure.

Words of all languages count for everybody, because people write in their own. Those that are ordinary words
elsewhere stand under ``_HERE`` and count only for who speaks that language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from smsflow_plugin.audience.replies.folding import fold

LANGUAGES = ("en", "da", "de", "es", "fr")


def phrases(text: str) -> frozenset[str]:
    """Return what stands between the bars of ``text``, folded."""
    return frozenset(folded for part in text.split("|") if (folded := fold(part)))


def base(language: str) -> str:
    """Return "da" for "da-DK"."""
    return re.split("[-_]", language.casefold())[0]


# Numbers -----------------------------------------------------------------------------------------

#: From nought to twenty; several words for one number have a stroke between them.
_NUMBERS: Mapping[str, str] = {
    "en": "zero/nought one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty",
    "da": "nul en/et/een to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten "
    "nitten tyve",
    "de": "null ein/eins/eine zwei/zwo drei vier fünf/fuenf sechs sieben acht neun zehn elf zwölf/zwoelf dreizehn "
    "vierzehn fünfzehn/fuenfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "es": "cero un/uno/una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte",
    "fr": "zéro un/une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix_sept "
    "dix_huit dix_neuf vingt",
}
_NUMBERS_HERE = frozenset({"fire", "elf", "once"})
_ORDINALS: Mapping[str, str] = {
    "en": "first/1st second/2nd third/3rd fourth/4th fifth/5th sixth/6th seventh/7th eighth/8th ninth/9th tenth/10th",
    "da": "første anden/andet/andre tredje fjerde femte sjette syvende ottende niende tiende",
    "de": "erste/ersten/erster/erstes zweite/zweiten/zweiter/zweites dritte/dritten/dritter/drittes vierte/vierten "
    "fünfte/fünften sechste/sechsten siebte/siebten achte/achten neunte/neunten zehnte/zehnten",
    "es": "primero/primera/primer segundo/segunda tercero/tercera/tercer cuarto/cuarta quinto/quinta sexto/sexta "
    "séptimo/séptima octavo/octava noveno/novena décimo/décima",
    "fr": "premier/première/1er/1ère deuxième/second/seconde/2ème/2e troisième/3ème/3e quatrième/4ème/4e "
    "cinquième/5ème/5e sixième septième huitième neuvième dixième",
}
#: Numbers as words that mean something else as often: one of many, "to be honest".
ORDINARY = phrases("one|a|an|en|et|een|to|ein|eine|un|una|une|uno|ti|ni|six|once|elf|fire|tre")


@cache
def number_words(language: str) -> Mapping[str, int]:
    """Return the words for whole numbers that count for who speaks ``language``."""
    found: dict[str, int] = {}
    for own in dict.fromkeys((*LANGUAGES, "en", base(language))):
        for word, number in _counted(_NUMBERS.get(own, ""), 0):
            if word not in _NUMBERS_HERE or own == base(language):
                found[word] = number
    return found


@cache
def ordinals() -> Mapping[str, int]:
    """Return "second" as 2, in all languages."""
    return {word: number for text in _ORDINALS.values() for word, number in _counted(text, 1)}


def _counted(text: str, start: int) -> Iterable[tuple[str, int]]:
    for number, words in enumerate(text.split(), start):
        for word in words.split("/"):
            yield fold(word).replace(" ", "_"), number


#: Between a number and the top of its scale: nine *out of* ten.
OUT_OF = phrases("out of|of|ud af|af|von|auf|de|sobre|sur|aus")
#: A number before one of these is about something else: ten days, 20 %.
UNITS = phrases(
    "day|days|week|weeks|month|months|year|years|hour|hours|hr|hrs|minute|minutes|min|mins|time|times|item|items|"
    "piece|pieces|parcels|orders|kids|people|dollars|usd|euro|euros|eur|kr|dkk|percent|pct|kg|cm|am|pm|"
    "dag|dage|uge|uger|maned|maneder|ar|time|timer|minutter|gang|gange|stk|styk|kroner|procent|"
    "tag|tage|tagen|woche|wochen|monat|monate|monaten|jahr|jahre|jahren|stunde|stunden|minuten|mal|stück|uhr|"
    "prozent|"
    "día|días|semana|semanas|mes|meses|año|años|hora|horas|minuto|minutos|vez|veces|piezas|"
    "jour|jours|semaine|semaines|mois|ans|heure|heures|h|fois|pièces"
)

LAST = phrases("last|sidste|letzte|letzten|letzter|letztes|último|última|dernier|dernière")

# Words around an answer --------------------------------------------------------------------------

POLITE = phrases(
    "please|pls|plz|plse|thanks|thank you|thank|thx|thankyou|ty|cheers|hi|hello|hey|sir|madam|mate|and|"
    "tak|venligst|hej|hilsen|mange|pa forhand|"
    "bitte|danke|hallo|gerne|schön|vielen dank|"
    "gracias|por favor|hola|muchas|"
    "merci|svp|stp|s'il vous plaît|s'il te plaît|bonjour|beaucoup|sil|vous|te|plait"
)
#: What an option may be called.
NAMING = phrases(
    "option|opt|answer|choice|number|letter|reply|nr|num|svar|mulighed|valg|nummer|bogstav|"
    "antwort|auswahl|buchstabe|opción|respuesta|número|letra|réponse|choix|numéro|lettre"
)
#: What leads up to an answer and says nothing itself.
LEADING = phrases(
    "the|my|is|it|its|it's|i|i'd|id|i'll|ill|i'm|im|would|will|"
    "choose|pick|take|want|like|prefer|go|with|for|say|give|it's a|would be|that|this|you|me|think|well|um|hmm|ok|"
    "okay|"
    "so|definitely|probably|def|just|let's|lets|then|sorry|"
    "jeg|vil|vælger|tager|have|gerne|det|den|de|er|mit|bliver|giver|siger|så|undskyld|"
    "ich|nehme|wähle|möchte|hätte|gern|die|der|das|ist|es|wäre|gebe|würde|sagen|meine|dann|entschuldigung|"
    "elijo|quiero|prefiero|la|el|lo|es|sería|doy|un|le|les|yo|mi|digo|entonces|perdón|"
    "je|prends|choisis|voudrais|veux|préfère|le|la|les|c'est|ce|sera|serait|donne|dis|mets|j'ai|ma|alors|désolé|"
    "désolée"
)
#: Words for the thing that is chosen: the second *one*.
ONES = phrases("one|ones|a|an|en|et|ein|eine|einen|un|una|une|uno|option|mulighed|opción")
#: Whoever says one of these has not chosen yet, or something else.
WAVERING = phrases(
    "but|or|neither|nor|except|unless|if|instead|maybe|perhaps|not sure|unsure|"
    "men|eller|hverken|medmindre|hvis|måske|"
    "aber|oder|weder|außer|wenn|statt|vielleicht|"
    "pero|o|ni|sino|salvo|quizás|tal vez|"
    "mais|ou|sauf|sinon|peut être"
)
#: What stands together with one of these is not what it seems.
TURNING = WAVERING | phrases(
    "not|never|don't|dont|doesn't|didn't|can't|cant|cannot|won't|wont|isn't|wasn't|less|more|than|under|over|"
    "without|"
    "between|almost|ikke|aldrig|ingen|mellem|nicht|kein|keine|nie|unter|nunca|menos|más|entre|pas|jamais|moins|plus"
)
#: Letters that are written for words: C u there, B there at 8.
NO_LETTER_BEFORE = phrases("u|ya|you|there|right|back|rb|cause|est|ok|4|da|mal|ya")
#: A number behind one of these is not the one that is meant: less than 5.
NEGATING = phrases(
    "not|never|don't|dont|can't|cant|cannot|won't|wont|isn't|wasn't|didn't|doesn't|less|more|than|under|over|"
    "almost|"
    "between|ikke|aldrig|ingen|mindre|mere|end|mellem|næsten|nicht|kein|keine|keinen|nie|weniger|mehr|als|fast|"
    "unter|"
    "menos|más|casi|entre|pas|jamais|moins|plus|presque"
)
#: Points and stars that are given, and other words that stand around a number.
POINTS = phrases(
    "point|points|pts|star|stars|from me|from|of course|solid|strong|full|"
    "stjerne|stjerner|fra mig|fra|mig|et stort|stort|punkt|punkte|punkten|stern|sterne|von mir|mir|volle|"
    "punto|puntos|estrella|estrellas|étoile|étoiles|de ma part|part|absolutely|totally|honestly|a big|big"
)

# Yes and no --------------------------------------------------------------------------------------

#: Yes and no wherever they stand in a short answer.
YES = phrases(
    "yes|yess|yees|yeah|yea|yep|yepp|yup|yuppers|aye|yessir|ja|jaa|jo|jep|jepp|jap|jawohl|joda|sí|sii|sip|oui|"
    "ouais|ouii"
)
NO = phrases("no|noo|nope|nop|nah|naw|nay|nej|nejj|næ|niks|nein|nö|nee|non|nan|nanan")
#: A yes if the whole answer is this, give or take politeness.
ALL_YES = phrases(
    "y|j|o|s|ok|okay|okey|oki|k|kk|sure|sure thing|of course|ofc|absolutely|definitely|certainly|correct|right|"
    "that's right|"
    "exactly|indeed|i do|i did|i will|i am|it is|it was|i can|sounds good|for sure|why not|i think so|i guess so|"
    "gladly|i agree|agreed|affirmative|true|all good|"
    "gerne|meget gerne|selvfølgelig|naturligvis|helt sikkert|bestemt|det er jeg|det gør jeg|det vil jeg|"
    "det tror jeg|korrekt|klart|"
    "hvorfor ikke|rigtigt|lige præcis|okay tak|"
    "gern|sehr gerne|natürlich|klar|na klar|auf jeden fall|selbstverständlich|genau|stimmt|richtig|sicher|"
    "warum nicht|"
    "claro|claro que sí|por supuesto|vale|de acuerdo|dale|correcto|exacto|desde luego|por qué no|con gusto|"
    "bien sûr|d'accord|daccord|volontiers|avec plaisir|tout à fait|absolument|exactement|carrément|pourquoi pas|"
    "évidemment"
)
ALL_NO = phrases(
    "n|of course not|certainly not|absolutely not|definitely not|not really|not at all|not yet|not now|not today|"
    "i don't|i do not|i can't|i cannot|i can not|i won't|i did not|i didn't|it is not|it isn't|it wasn't|no way|"
    "wrong|"
    "incorrect|false|negative|never|i don't think so|"
    "ikke|ikke endnu|ikke nu|desværre ikke|desværre|overhovedet ikke|selvfølgelig ikke|slet ikke|det gør jeg ikke|"
    "det tror jeg ikke|forkert|"
    "nicht|noch nicht|leider nicht|leider|gar nicht|überhaupt nicht|natürlich nicht|auf keinen fall|"
    "ich glaube nicht|falsch|nie|"
    "claro que no|todavía no|aún no|para nada|nunca|en absoluto|incorrecto|tampoco|"
    "pas du tout|pas encore|pas vraiment|bien sûr que non|absolument pas|je ne crois pas|jamais|hélas"
)
#: Begin like a yes or a no, and are none.
NEITHER = phrases(
    "no idea|no clue|no preference|no problem|no problems|no worries|no one|no matter|no comment|no opinion|"
    "yes and no|yes or no|yeah right|yeah no|"
    "ja og nej|ingen idé|intet problem|kein problem|keine ahnung|jein|ja und nein|"
    "no sé|no lo sé|sin problema|sí y no|ni idea|no se|"
    "pas de problème|oui et non|aucune idée"
)
#: Whoever says one of these with a yes or no has not made up their mind.
UNSURE = phrases(
    "maybe|perhaps|unless|if|depends|or|måske|medmindre|hvis|eller|vielleicht|falls|wenn|oder|quizás|quizá|depende|"
    "peut être|peutêtre|sauf|ou"
)
THUMBS_UP, THUMBS_DOWN = frozenset("👍✅👌✔☑🆗💯"), frozenset("👎❌✖❎")
