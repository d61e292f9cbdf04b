"""One mistake in a word, where it is safe to put it right. Pure.

There is no plain edit distance: "late" is one letter away from "later", and means something else. Only what fingers
do counts (two letters swapped, one doubled or left out of a double, one left out, struck twice or hit beside its key),
never the first letter, never in short words, and never where the mistyped word is a word itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from smsflow_plugin.audience.replies.folding import fold
from smsflow_plugin.audience.replies.lexicon import lexicon

#: Shorter words are never put right, and those shorter than the second only where letters are swapped or doubled.
SHORTEST, SHORTEST_FOR_MORE = 4, 6
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORDS = """
able about above across after again air all along also always angel angle animal another answer any apart area arm
art ask baby back bad bag ball band bank bare barn base bath beach bead beak beam bean bear beard beast beat bed
been beer before begin behind bell belt best better big bike bill bird bite black blank blast blade blame block
blood bloom blow blue board boat body bold bone book boot border born boss both bottle bottom bow bowl box boy brain
brake branch brand brave bread break breast bride bridge brief bright bring broad broken brother brown brush build
burn bus busy but buy cable cake calf call calm came camp can cane cap cape car card care cart case cash cast cat
catch cause chain chair chance change charge cheap check cheek cheer cheese chest child choice choose chose church
city claim class clean clear clerk click cliff climb clock close closer clothe clothes cloth cloud club coach coal
coast coat code coffer coffin cold color colour come cook cool copper copy cord core corn corner cost cotton couch
could count country couple course court cover cow crash crazy cream credit crime crop cross crowd crown cry cup curb
cure curl cut dairy dance dark data date day dead deal dear death debt deep deer degree deny desert dessert desk
diary die diet dinner dirt dirty dish divide do doctor does dog dollar done door dose double doubt down dozen draft
drag draw dream dress drink drive drop drug dry due dull dust duty each ear early earn earth ease east easy eat edge
effect effort egg eight either else email empty end enjoy enough enter entry equal even ever every exact except exit
expect extra eye face fact fail fair fairy fall false fame family fan fancy far fare farm farmer fast fat father
fault favor favour fear feather feed feel feet fell felt few field fight figure file fill film final find fine
finger finish fire firm first fish fit five fix flag flat flesh flight float flood floor flour flow flower fly fold
follow food foot for force form former fort forth forty forward four frame free fresh friend from front fruit full
fun fund funny fur gain game garden gas gate gather gave gear get gift girl give glad glass glove glue goal goat
gold golf gone good grab grade grain grand grant grape graph grass grave gray great greed green greet grey grill
grip ground group grow guard guess guest guide gun guy habit hair half hall hand hang happy hard harm hat hate have
head heal health heap hear heard heart heat heavy height held hell hello help hen her herb here hero high hill hire
hit hold hole home honey hook hope horn horse hose host hot hotel hour house huge human hunt hurry hurt ice idea ill
inch iron issue item jacket jail jam jar jeans job join joke judge juice jump just keen keep kept key kick kid kill
kind king kiss kitchen knee knew knife know lack lad lady laid lake lamb lamp land lane large larger last late later
latest latte latter laugh laundry law lay lazy lead leaf lean learn least leather leave led left leg lemon less
lesson let letter level lid lie life lift light lighter like limb limit line linen lion lip list listen litter
little live lives liver living load loan local lock log lone long longer look loose lord lose loss lost lot loud
love lovely lover low lower luck lunch lung mad made mail main make male man many map march mark market mask mass
mat match mate matter may maybe meal mean meat medal media meet melt men menu mess metal might mild mile milk mill
mind mine minor minute mirror miss mist mix model modern moist mole moment money month mood moon moral more morning
most mother motor mount mouse mouth move movie much mud muscle music must nail name narrow near neat neck need nerve
nest net never new news next nice night nine noise none noon north nose note nothing notice novel now number nurse
nut oak object ocean odd off offer office often oil old older olive once one only onto open order other ought our
out outer oven over own owner pace pack page paid pail pain paint pair pale palm pan panel pant pants paper parcel
parent park part party pass past paste path patient pay peace peach peak pear pearl pen penny people pepper perfect
person pet phone photo pick picture pie piece pig pile pill pin pine pink pint pipe place plain plan plane plant
plate play player please plenty plot plug plus pocket poem point poison pole police polite pond pony pool poor pop
port pose post pot potato pound pour powder power praise pray press pretty price prices pride priest prime prince
print prize proof proud prove public pull pump pupil pure purple purpose purse push put queen quick quiet quilt quit
quite quote race rack radio rail rain raise range rank rare rate rates raw reach react read reader ready real really
rear reason recent record red refuse region relax rely remain remote rent repeat reply rest result return review
rice rich ride right ring ripe rise river road roast robe rock role roll roof room root rope rose rough round route
row royal rub rude rug rule run rush sad safe said sail salad sale sales salt same sand sat save saw say scale scare
scarf scene school score sea seal search seat second see seed seek seem seen self sell send sense sent serve set
seven sew shade shake shall shame shape share shark sharp shed sheep sheet shelf shell shine ship shirt shock shoe
shoes shoot shop shore short shorts shot should shoulder shout show shower shut shy sick side sides sight sign silk
silly silver since sing single sink sip sir sister sit site six sixth size sizes skill skin skip skirt sky sleep
slice slide slim slip slow small smart smell smile smoke smooth snack snake snow soap sock socks sofa soft soil sold
sole solid some son song soon sore sorry sort soul sound soup sour south space spare speak speech speed spell spend
spent spice spin spoil spoon sport spot spray spread spring square staff stage stain stair stale stall stamp stand
star stare start state stay steak steal steam steel steep stem step stick still sting stir stock stone stood stop
store stories storm story stove straight strange straw stream street stress strike string strip stripe strong stuff
style such sudden suffer sugar suit sum summer sun super sure surf sweat sweet swim swing table tail take taken tale
talk tall tank tape task taste tax tea teach team tear tell ten tend tent term test than thank that the their them
then there these they thick thief thin thing think third thirst this those though thread threat three threw thrill
throat through throw thumb thus ticket tide tidy tie tiger tight till time tin tiny tip tire tired title to toast
toe toffee tomato ton tone tongue too took tool tooth top topic total touch tough tour towel tower town toy trace
track trade trail train trash travel tray treat tree trial trick tried trip trouble truck true trunk trust truth try
tube tune turn twice twin two type ugly uncle under unit until upon upper urge use used useful user usual valley
value van vary vase vast very view visit voice vote wage wait waist wake walk wall want war warm warn wash waste
watch water wave way weak wear weather wedding week weigh weight well went were west wet what wheat wheel when where
which while whit white who whole whose why wide wife wild will win wind window wine wing winner winter wipe wire
wise wish with woman wonder wood wool word wore work world worn worry worse worst worth would wound wrap wrist write
wrong yard year yellow yet you young your yours zone andre anden andet blad blod bord bror brun brug brød bryst
butik dage dame danse datter dreng drøm dyr farve farver fest fisk flad flere flest flyt foran frem fugl fyld glas
grad gren grim grøn grød gyld hals halv hjem hjul hund hvid hvidt huse hvem hver højt ild kald kaffe kage kant klar
klog kniv kold kort krop kvinde lade lang lige lille luft lyse lyst mand mange mere meget navn nede nogle nyhed
nyheder ord pris priser pige plads prist rund rust rød salg sang sild skab skat skov skål slet smag sorte sorter
spil stol stor større størst søde søn tand tilbud tid træ tung tykt unge uden valg vand varm varme vare varer vest
vind vinter øje alle alte andere arme bald baum beide berg besser bett bild bitte blatt blau braun breit brot bruder
buch bunt dank dann dick dorf draht eine einen ende enge erde ernst essen fahrt farbe farben fein feld fett feuer
finden fisch flach fleisch frau frei freund frisch froh ganz garten gast geld gelb glatt grau gras gross grün grund
gut haar halt hart haus haut heiss hemd herz heute hier hilfe himmel hoch hut jacke jahr jung kalt kann kauf kein
kleid klein kleine kleiner koch kopf kraft kreis kuh kunde kunst kurz lampe laut leben leder leicht leider licht
lieb liebe lied links lust macht mal mantel markt meer mehr mein messer milch mit mode muss mut mutter nacht nah
nase nass neu neues nicht nie noch nord nur oben obst oder offen ohr ort paar platz preis preise punkt rand rat raum
recht regen reich reif rein reise rot ruhe sache saft sagen salz satt sauer schaf scharf schnell schon schuh schule
schwarz sehen sehr seide seit seite selten sicher sohn sommer sonne spiel stadt stark stein stelle stoff stolz strom
stuhl stunde suche süss tag tasche tasse teil tief tier tisch tochter tod topf tor traum treu tuch uhr und unten
vater viel vogel voll von vor wand wann warten was wasser weg weich wein weiss weit welt wenig wer wert wetter wir
wohl wolle wort zahl zahn zart zeit ziel zimmer zug zwei agua ahora algo alto amigo amor ancho año arte azul bajo
barco barro beso bien blanca blanco boca bolsa brazo bueno caballo cabeza cada café caja calle calor cama camisa
campo cara carne caro carta casa caso cena cerca cielo cierto cinco ciudad claro clase coche cola comida como corto
cosa costa cuatro cuello cuenta cuerpo dama dar decir dedo dedos dinero donde dos dulce duro edad ella enero error
esta este falda falta fecha feliz fiesta fino flor fondo forma frio fruta fuego fuera fuerte gato gente gordo gracia
grande gris grupo gusto hablar hacer hija hijo hoja hombre hora hoy hueso huevo joven juego lado largo leche leer
lento libre libro limpio lindo linea lista llave lleno loco lugar luna luz madre malo mano manta marca mayor medio
mejor menor menos mes mesa miedo mismo moda modo mucho mujer mundo negra negro nieve niña niño noche nombre nuevo
nuevos nunca ojo ola oro otra otro padre pago papel para parte paso pasta pato paz pelo peor perro peso pez piel
piso plata plato playa pobre poco poder precio precios primo puerta punto puro queso quien ramo rato raya razon
regla rey rico rio ropa rosa roto sala sano seco seda semana señal ser serio siempre siglo silla sitio sobre solo
sopa suave sueño suelo talla tallas tarde taza tela tema tiempo tienda tierra tinto todo toro traje tres triste vaca
vaso verde vida viejo viento vino vista vivo voz zapato zona aide aimer ami amie année apres argent article assez
aussi autre avant avec avis bain balle banc bas beau beaucoup bijou blanc blanche bleu bleue boire bois boite bon
bonne bouche bout bras bruit cadeau carte chaise champ chat chaud chef cher chere chien choix ciel cinq clair clé
coeur coin colis colle comme corps côte cou couleur coup cour cousin couteau cuir cuisine dans demain dent dernier
deux dire doigt donner douce doux droit dur eau école encore enfant ensemble entre envoi épais été faim faire femme
fer feu feuille fille fils fin fleur foie foin fois fond forme frais frère froid gant garde gare gens goût gros
grosse groupe guerre herbe heure hiver homme huit ici idée jambe jardin jaune jeu jeune joie joli jour jupe juste
laine lait langue lettre lieu ligne linge lit livre loin longue lourd lundi lune maison manger marche mari mer merci
mère mieux milieu moins mois moitié monde mort mot mur neige neuf nez noir noire nom nous nouveau nouveautés nuit
oeil offre offres oiseau ombre oncle or orange ordre oreille os paire paix panier papier parler pas pays peau père
petit petite peu peur pied pierre plage plat plein pluie poche poids pois poisson pomme pont porte poste poule prix
promo prune quand quatre que rang rayon rien riz roi rouge rue sable sac salle santé sel sept seul soie soir soleil
sombre soupe sous sucre sud suite sur taille tailles tante tard temps terre tete tissu titre toile toit tôt tout
travail trois trop trou veste verre vers vert verte viande vie vieux ville vin vingt visage vite vivre voir voix
voiture vrai vue yeux
"""
_REAL = frozenset(fold(word) for word in _WORDS.split())


def meant(word: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``word`` is with one mistake; None if there is none, or more than one."""
    if len(word) < SHORTEST or word.isdigit() or word in _REAL:
        return None
    near = {other for other in known if _one_mistake(word, other)}
    if len(near) != 1 or word in lexicon().vocabulary:
        return None
    return near.pop()


def _one_mistake(typed: str, right: str) -> bool:
    """Whether fingers make ``typed`` of ``right`` by one mistake. Not so if they are the same."""
    if len(right) < SHORTEST or typed == right or typed[0] != right[0] or not right.isalpha() or not typed.isalpha():
        return False
    if _swapped(typed, right) or _undoubled(typed) == _undoubled(right):
        return abs(len(typed) - len(right)) <= 1
    if len(right) < SHORTEST_FOR_MORE:
        return False
    if len(typed) == len(right):
        wrong = [(a, b) for a, b in zip(typed, right, strict=True) if a != b]
        return len(wrong) == 1 and _neighbours(*wrong[0])
    shorter, longer = sorted((typed, right), key=len)
    # one letter more or less, but for the last one: "order" and "orders" are one thing, "price" and "priced" are not
    last = len(longer) if longer.endswith("s") else len(longer) - 1
    return len(longer) - len(shorter) == 1 and any(longer[:at] + longer[at + 1 :] == shorter for at in range(1, last))


def _swapped(typed: str, right: str) -> bool:
    if len(typed) != len(right):
        return False
    wrong = [at for at, (a, b) in enumerate(zip(typed, right, strict=True)) if a != b]
    return (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and typed[wrong[0]] == right[wrong[1]]
        and (typed[wrong[1]] == right[wrong[0]])
    )


def _undoubled(word: str) -> str:
    return "".join(letter for at, letter in enumerate(word) if at == 0 or letter != word[at - 1])


def _neighbours(one: str, other: str) -> bool:
    """Whether two keys lie beside each other, in one row or in the next."""
    places = {letter: (row, at) for row, letters in enumerate(_ROWS) for at, letter in enumerate(letters)}
    if one not in places or other not in places:
        return False
    (row, at), (other_row, other_at) = places[one], places[other]
    if row == other_row:
        return abs(at - other_at) == 1
    upper, lower = sorted(((row, at), (other_row, other_at)))
    return lower[0] - upper[0] == 1 and upper[1] - lower[1] in (0, 1)
