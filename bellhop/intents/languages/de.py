"""German. Umlauts are folded to their plain letters; `ae`, `oe` and `ue` are spelled out where guests write them."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|fruher einchecken|frueher einchecken|fruher check|fruherer check|"
            "vor der zeit einchecken|fruheres einchecken",
            "zimmer|schlussel|anreisen & vor 00 uhr|vor der ublichen|schon am morgen|fruhestens|"
            "schon vormittags|eher|gleich aufs|vor 00 fertig|frei um",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|spater auschecken|spaeter auschecken|spates auschecken|spaten check|spater check|"
            "spaterer check|spaeterer check|spat auschecken|checkout spater|spaterer checkout|"
            "spaeterer checkout",
            "zimmer & behalten|langer im|uber 00 hinaus|so lange|bleiben & bis|konnen|durfen|samstag|wurde|flug",
            "auschecken|abreise|abreisen|raus & statt|verschieben|um 00 uhr|spater|spaeter|gegen",
            "bis 00 uhr bleiben",
        ),
        IntentType.BOOKING_CHANGE: (
            "buchung|reservierung & andern|aendern|anpassen|verschieben|geandert|falsch",
            "nacht|nachte & dranhangen|verlangern|mehr|noch eine",
            "verlangern|verlangern sie|umbuchen|kurzer bleiben|tag fruher",
            "zimmer|doppelzimmer & tauschen|wechseln|getrennten betten|grosseres|einzelzimmer",
            "falsche anreisedatum|falsches datum|upgrade|meerblick",
        ),
        IntentType.CANCELLATION: (
            "stornieren|storniere.|storno|stornierung & bitte|buchung|reservierung|zimmer|kann|muss|wie|"
            "kostenlos|danke|mochten|aufenthalt|bedingung|heute|000",
            "absagen|stornobedingungen",
            "kommen doch nicht",
        ),
        IntentType.ARRIVAL_TIME: (
            "kommen|ankunft|ankommen|landen|reise|sind & gegen 0|um 00|um 0|ca 00|nach mitternacht|halb|"
            "viertel|uhr an|spat an|um 00 uhr",
            "verspatung|im stau|sind unterwegs|wird spater",
            "rezeption & ankommen|besetzt",
        ),
        IntentType.DIRECTIONS: (
            "wie kommen wir|wie komme ich|wie kommt man|wegbeschreibung",
            "adresse.|hausnummer|finden den eingang|wo seid ihr|findet es nicht",
            "taxi|shuttle|transfer|bus.|abholen & gibt es|konnen|konnten|brauche|bestellen|bieten|welcher|bitte",
            "wie weit",
        ),
        IntentType.PARKING: (
            "parken|parkplatz|parkplatze|parkgebuhr|stellplatz|garage|tiefgarage",
            "auto|wohnmobil|motorrad & abstellen|stehen lassen|hinstellen|wo.",
            "ladesaule|e auto laden",
        ),
        IntentType.WIFI_ACCESS: (
            "wlan|wifi|wi fi|internet|netz & passwort|code|langsam|geht|verbinden|kein|komme|pw.",
            "turcode|zugangscode|code fur die|tastenfeld|code geht",
            "karte & tur. & offnet",
            "passwort",
        ),
        IntentType.HOUSEKEEPING: (
            "handtucher|handtuecher|badetucher & bitte|frische|saubere|konn|koenn|brauch|mehr|fur die|bringen|noch",
            "klopapier|toilettenpapier|bettwasche",
            "putzen|geputzt|reinigung|zimmer wurde heute nicht|bett ist nicht gemacht|mull.",
        ),
        IntentType.AMENITY_REQUEST: (
            "kissen|decke.|decken|babybett|gitterbett|bugeleisen|dampfbugeleisen|fohn|ladekabel|adapter|"
            "wasserkocher|regenschirm|bademantel & konnen|konnten|haben|gibt|brauch|bitte|moglich|leihen|"
            "ware|noch",
            "pool|sauna|fitness|spa. & wann|offen|offnet|offnungszeiten|termin|nachts",
        ),
        IntentType.MAINTENANCE: (
            "klimaanlage|heizung|dusche|toilette|spulung|fernseher|lampe|licht|fenster|safe.|waschbecken|"
            "strom|kuhlschrank & geht nicht|kaputt|verstopft|defekt|ausgefallen|tropft|klemmt|lauft nicht|"
            "geht auch nicht|nicht einschalten|nicht zu|weg.|bleibt kalt|warme luft",
            "warmes wasser & kein",
            "wasser durch die decke|undicht",
        ),
        IntentType.COMPLAINT: (
            "frechheit|enttausch|beschwer|schlechteste|unverschamt|mieser|unzumutbar|inakzeptabel|verargert",
            "laut.|schreien|larm & schlafen|geschlafen|seit|tun sie",
            "zimmer & dreckig|schmutzig|stinkt|riecht",
            "wanzen|kakerlaken|flecken|nicht das was wir gebucht|mehr erwartet|saubereren",
        ),
        IntentType.DINING: (
            "fruhstuck|fruehstuck & wann|dabei|bis wann|gibt|konnen|koennen|inklusive|sonntags",
            "tisch & reservieren|heute abend|fur|terrasse",
            "gluten|vegan|vegetarisch|nussallergie|allergi|speisekarte|aufs zimmer bestellen|essen aufs zimmer",
            "restaurant|kuche & offen|gerichte",
            "gut essen|abendessen um",
        ),
        IntentType.PAYMENT: (
            "rechnung|beleg & schicken|brauch|bitte|mail|auf der|stimmt|auf meine|firma|gmbh",
            "abgebucht|belastet|berechnet|auf meiner karte",
            "zahlen|bezahlen & bar.|karte|kann man",
            "kaution|geld zuruck & wann|bekomme",
            "nehmen sie amex|kurtaxe|noch offen",
        ),
        IntentType.LOST_ITEM: (
            "vergessen|liegen lassen|liegen gelassen|verloren|finde mein|liegt noch|noch im bett|"
            "nicht in der tasche & jacke|ladegerat|brille|sonnenbrille|geldbeutel|pass.|handy|teddy|ohrring|"
            "kamera|ring.|schal.|mantel|schlussel|tasche",
            "gefunden|abgegeben & jemand|wurde",
        ),
        IntentType.OPT_OUT: (
            "keine nachrichten mehr|abmelden|abbestellen|hort auf|loschen sie meine nummer|keine werbung|"
            "schreiben sie mir nicht|schreibt mir nicht|aus dem verteiler|schluss mit",
        ),
        IntentType.HUMAN: (
            "echten menschen|echter mensch|mit einem menschen|ruckruf|verbinden sie mich",
            "sprechen|reden & chef|rezeption|jemandem|wem|menschen|will|muss",
            "anrufen & mich|konnen|soll|jemand",
        ),
    },
    guards={
        "negation": (
            "keine handtucher|keine handtuecher|noch welche|nichts storniert|nicht storniert|nein danke|"
            "brauchen wir kein|brauchen kein|brauchen wir nicht|brauchen wir keine|keine kissen|"
            "nicht stornieren|stornieren nicht|dann eben kein|dann kein|haben kein auto|nichts geandert|"
            "passt.|notig"
        ),
        "past": (
            "gut angekommen|war einfach|war leicht|letztes jahr|war super|war klasse|war ausgezeichnet|"
            "war sehr|war punktlich|schon bestatigt|haben wir rom|haben geparkt|garage geparkt|schon erklart|"
            "schon geschickt|schon bezahlt|schon gegessen|gegessen|wir haben gestern|genossen|"
            "hat uns abgeholt|haben sie schon"
        ),
        "vehicle": ("das auto|unser auto|wagen."),
        "thanks": ("danke fur|vielen dank fur|danke dass|unsere rettung|lob an"),
        "settled": (
            "neue karte|neuer schlussel|neuen schlussel|ging am ende|geht jetzt|geht jetzt|geht wieder|"
            "lauft wieder|wlan lauft|ist super|hat sich erledigt|alles gut|alles bestens|nichts zu meckern|"
            "hat sich gefunden|ist angekommen|ist da.|keine sorge|entwarnung|kein problem|ist durch|"
            "schlussel gefunden|zuruckgerufen|parkplatz gefunden|kein larm"
        ),
    },
)
