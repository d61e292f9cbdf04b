"""The words and hosts that ``lint`` looks for, by language.

Networks name the topics sex, hate, alcohol, firearms and tobacco; gambling, cannabis,
quick loans, crypto and prescription drugs are treated alike. The lists are short on
purpose: they are to make somebody think, not to catch everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SHORTENERS = frozenset(
    ("bit.ly", "bitly.com", "tinyurl.com", "goo.gl", "ow.ly", "t.co", "rb.gy", "cutt.ly", "is.gd", "buff.ly", "t.ly")
    + ("rebrand.ly", "shorturl.at", "tiny.cc", "bl.ink", "v.gd", "soo.gd", "s.id", "lnkd.in", "adf.ly")
)


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    label: str | Promise


SEX = Topic("sex", _("sex"))
HATE = Topic("hate", _("hate"))
ALCOHOL = Topic("alcohol", _("alcohol"))
FIREARMS = Topic("firearms", _("firearms"))
TOBACCO = Topic("tobacco", _("tobacco"))
CANNABIS = Topic("cannabis", _("cannabis"))
GAMBLING = Topic("gambling", _("gambling"))
MONEY = Topic("money", _("quick money"))
DRUGS = Topic("drugs", _("prescription drugs"))


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE)


_DRUG_NAMES = ("viagra", "cialis", "ozempic", "xanax", "oxycodone", "tramadol")
_CANNABIS = ("cbd", "thc", "cannabis", "marijuana", "marihuana")
_GAMBLING = ("casino", "jackpot", "poker", "roulette")
_CRYPTO = ("bitcoin", "crypto", "forex")

#: By language and topic.
PROHIBITED: dict[str, dict[Topic, re.Pattern[str]]] = {
    "en": {
        SEX: _words("sex", "sexy", "porn", "xxx", "escorts?", "nudes?", "onlyfans"),
        HATE: _words("nazis?", "white power"),
        ALCOHOL: _words("beers?", "wines?", "whisk(?:e)?y", "vodka", "liquor", "alcohol", "champagne", "tequila"),
        FIREARMS: _words("guns?", "firearms?", "ammo", "ammunition", "rifles?", "pistols?"),
        TOBACCO: _words("cigarettes?", "tobacco", "vapes?", "vaping", "e-?cigs?", "nicotine", "cigars?"),
        CANNABIS: _words(*_CANNABIS, "weed", "edibles"),
        GAMBLING: _words(*_GAMBLING, "betting", "bets?", "gambl(?:e|ing)", "sweepstakes"),
        MONEY: _words(*_CRYPTO, "payday loans?", "debt relief", "get rich", "cash advance", "work from home"),
        DRUGS: _words(*_DRUG_NAMES, "prescription drugs?"),
    },
    "da": {
        SEX: _words("sex", "porno", "nøgen\\w*"),
        ALCOHOL: _words("øl", "vin", "whisky", "vodka", "spiritus", "alkohol", "champagne", "snaps"),
        FIREARMS: _words("våben", "gevær\\w*", "pistol\\w*", "ammunition"),
        TOBACCO: _words("cigaret\\w*", "tobak", "snus", "nikotin\\w*", "cigar\\w*", "vape\\w*"),
        CANNABIS: _words(*_CANNABIS, "hash"),
        GAMBLING: _words(*_GAMBLING, "kasino", "væddemål", "odds"),
        MONEY: _words(*_CRYPTO, "kviklån\\w*", "hurtige penge"),
        DRUGS: _words(*_DRUG_NAMES, "receptpligtig\\w*"),
    },
    "de": {
        SEX: _words("sex", "porno\\w*", "nackt\\w*"),
        ALCOHOL: _words("bier\\w*", "wein\\w*", "whisky", "wodka", "schnaps", "alkohol\\w*", "sekt"),
        FIREARMS: _words("waffen?", "gewehr\\w*", "pistolen?", "munition"),
        TOBACCO: _words("zigarett\\w*", "tabak\\w*", "nikotin\\w*", "zigarren?", "e-zigarett\\w*", "vapes?"),
        CANNABIS: _words(*_CANNABIS, "hanf\\w*"),
        GAMBLING: _words(*_GAMBLING, "glücksspiel\\w*", "wetten?", "lotto"),
        MONEY: _words(*_CRYPTO, "sofortkredit\\w*", "schnelles geld"),
        DRUGS: _words(*_DRUG_NAMES, "rezeptpflichtig\\w*"),
    },
    "es": {
        SEX: _words("sexo", "sexy", "porno\\w*", "desnud\\w+"),
        ALCOHOL: _words("cervezas?", "vinos?", "whisky", "vodka", "licor(?:es)?", "alcohol", "tequila", "ron"),
        FIREARMS: _words("armas?", "pistolas?", "rifles?", "munición"),
        TOBACCO: _words("cigarrillos?", "tabaco", "nicotina", "puros?", "vapers?", "vapeador\\w*"),
        CANNABIS: _words(*_CANNABIS),
        GAMBLING: _words(*_GAMBLING, "apuestas?", "tragaperras", "ruleta"),
        MONEY: _words(*_CRYPTO, "préstamos? rápidos?", "dinero fácil"),
        DRUGS: _words(*_DRUG_NAMES, "con receta"),
    },
    "fr": {
        SEX: _words("sexe", "sexy", "porno\\w*", "nue?s?"),
        ALCOHOL: _words("bières?", "vins?", "whisky", "vodka", "alcools?", "champagne", "rhum"),
        FIREARMS: _words("armes?", "fusils?", "pistolets?", "munitions?"),
        TOBACCO: _words("cigarettes?", "tabac", "nicotine", "cigares?", "vapot\\w*", "puffs?"),
        CANNABIS: _words(*_CANNABIS, "chanvre"),
        GAMBLING: _words(*_GAMBLING, "paris sportifs?", "loterie"),
        MONEY: _words(*_CRYPTO, "crédit rapide", "argent facile"),
        DRUGS: _words(*_DRUG_NAMES, "sur ordonnance"),
    },
}

#: Words that say what is in it for the reader without a number.
FREE = {
    "en": _words("free", "new", "back", "sale", "gift", "ready", "shipped", "delivered", "last", "save", "half"),
    "da": _words("gratis", "nyt?", "nye", "tilbage", "udsalg", "gave", "klar", "sendt", "leveret", "sidste", "spar"),
    "de": _words(
        "gratis", "kostenlos\\w*", "neu\\w*", "zurück", "sale", "geschenk\\w*", "bereit", "geliefert", "letzte"
    ),
    "es": _words("gratis", "nuev[oa]s?", "rebajas?", "regalo", "list[oa]", "enviado", "entregado", "últim[oa]s?"),
    "fr": _words("gratuite?s?", "nouve(?:au|lle)s?", "soldes?", "cadeau", "prête?s?", "expédié\\w*", "livré\\w*"),
}
