"""German. Umlauts are folded to their plain letters; `ae`, `oe` and `ue` are spelled out where guests write them."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "konnen|konnten|kann|konnte|koennen|koennte|darf|durfen|mochte|moechte|bitte|brauch|gibt es|gibts|gabe|"
            "habt ihr|haben sie|hatten sie|hattet ihr|wie.|wo.|was.|welch|wann|wer.|wieviel|ware|waere|wurde|"
            "moglich|geht es|geht das|ist es|konnt ihr|hatte gern|hatten gern|sind sie|ist die|bekomm|will.|wollen|"
            "muss|fehlt|fehlen|schicken|bringen|lasst sich|ist das|ginge|ginge es"
        ),
        "broken": (
            "geht nicht|gehen nicht|kaputt|verstopft|defekt|ausgefallen|tropft|klemmt|lauft nicht|"
            "funktioniert nicht|lasst sich nicht|schliesst nicht|offnet nicht|weg.|kalt|kein|riecht|flackert|"
            "undicht|laut.|spinnt|hin.|tut nicht|fliegt raus|heizt nicht|kuhlt nicht|geht nur|nicht mehr|"
            "lauft standig|brummt|lauwarm|durchgebrannt|hangt|abgebrochen|rausgefallen|streikt|nicht warm|"
            "uberlauft|lauft uber|kein signal|nicht an.|nicht aus.|nicht zu"
        ),
        "time": (
            "um 0|gegen 0|ab 0|bis 0|uhr|halb|mitternacht|abends|nachts|mittags|nachmittag|stunde|minuten|min.|viertel"
        ),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|fruher einchecken|frueher einchecken|fruher check|fruherer check|vor der zeit einchecken|"
            "fruheres einchecken & !raumen",
            "zimmer|schlussel|anreisen & vor 00 uhr|vor der ublichen|schon am morgen|fruhestens|schon vormittags|"
            "eher|gleich aufs|vor 00 fertig|frei um & !raumen",
            "zimmer|einchecken|check in|checkin|schlussel|aufs zimmer|anreisen|rein.|ins zimmer & fruher|frueher|"
            "eher|vor 0|vormittag|morgens|am morgen|fruh.|vor der|um 00|schon & @ask & !fruhstuck|auschecken|"
            "abreise|putz|taxi|bleiben|behalten|zahlen|letztes",
            "zimmer & fertig|bezugsfertig|bereit|schon frei & ist|schon|wann & !danke",
            "fruhe anreise|fruhere anreise|fruher check in",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|spater auschecken|spaeter auschecken|spates auschecken|spaten check|spater check|"
            "spaterer check|spaeterer check|spat auschecken|checkout spater|spaterer checkout|"
            "spaeterer checkout & !zahlen|bezahlen|landet",
            "zimmer & behalten|langer im|uber 00 hinaus|so lange|bleiben & bis|konnen|durfen|samstag|wurde|"
            "flug & !zahlen|bezahlen|landet",
            "auschecken|abreise|abreisen|raus & statt|verschieben|um 00 uhr|spater|spaeter|gegen & !zahlen|"
            "bezahlen|landet",
            "bis 00 uhr bleiben & !zahlen|bezahlen|landet",
            "behalten|bleiben|nutzen|raumen|verlassen|zimmer & langer|bis 0|spater|paar stunden|uber 0|bis mittag|"
            "bis zum|bis nachmittag|noch bis|erst um & @ask & !nacht|nachte|kuche|restaurant|pool|fruhstuck|"
            "ankommen|anreise|vergessen",
            "auschecken|abreise|abreisen|checkout|check out|raus.|ausziehen & spater|spat|langer|statt|verschieben|"
            "erst|um 0|nach 0|verlanger & @ask & !zahlen|taxi|danke",
            "spatere abreise|spate abreise|late check|stunde langer|stunden langer & @ask",
        ),
        IntentType.BOOKING_CHANGE: (
            "buchung|reservierung & andern|aendern|anpassen|verschieben|geandert|falsch & !decke|kissen|abholen|"
            "wie gesagt|freigeben|handtuch",
            "nacht|nachte & dranhangen|verlangern|mehr|noch eine & !decke|kissen|abholen|wie gesagt|freigeben|handtuch",
            "verlangern|verlangern sie|umbuchen|kurzer bleiben|tag fruher & !decke|kissen|abholen|wie gesagt|"
            "freigeben|handtuch",
            "zimmer|doppelzimmer & tauschen|wechseln|getrennten betten|grosseres|einzelzimmer & !decke|kissen|"
            "abholen|wie gesagt|freigeben|handtuch",
            "falsche anreisedatum|falsches datum|upgrade|meerblick & !decke|kissen|abholen|wie gesagt|freigeben|"
            "handtuch",
            "buchung|reservierung|termin|aufenthalt|daten|datum|reise & andern|aendern|anpassen|verschieben|"
            "vorverlegen|umbuchen|korrigieren|verlangern|verkurzen|geandert & @ask|ich|wir",
            "nacht|nachte & langer|mehr|extra|zusatzlich|weniger|noch eine|dranhangen|verlangern|weitere|"
            "statt & @ask|bleiben & !larm|schlafen|letzte nacht",
            "sind.|waren|kommen|werden & personen|zu viert|zu funft|zu dritt|erwachsene|kinder|einer mehr|statt|"
            "doch & !tisch|fruhstuck|wie gebucht",
            "zimmer|einzelzimmer|doppelzimmer|suite|stock|etage|meerblick|familienzimmer|betten & tauschen|"
            "wechseln|umziehen|upgrade|statt|anderes|grosser|buchen|umbuchen & @ask & !handtuch|bettwasche|birne|"
            "glut",
            "name|namen & buchung|reservierung & falsch|andern|korrig|schreib",
            "tag & fruher|spater|eher & abreisen|anreisen|kommen|fahren|heim & !stunde",
            "falsches datum|falsche datum|vertan|verbucht & datum|tag|buchung|monat|name",
        ),
        IntentType.CANCELLATION: (
            "stornieren|storniere.|storno|stornierung & bitte|buchung|reservierung|zimmer|kann|muss|wie|kostenlos|"
            "danke|mochten|aufenthalt|bedingung|heute|000 & !mensag|messag|sms|suscri|inscri|iscri|these messages|"
            "lista|newsletter",
            "absagen|stornobedingungen & !mensag|messag|sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "kommen doch nicht & !mensag|messag|sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "stornier|storno|absag|absagen|canceln|kundigen & buchung|reservierung|zimmer|kosten|gebuhr|kostenlos|"
            "frei|bitte|muss|mussen|mochte|wie|bis wann|aufenthalt|nacht|kann|frist|leider|"
            "heute & !nicht stornieren|flug|tisch|nichts storniert|taxi|newsletter",
            "nicht kommen|kommen nicht|konnen doch nicht|nicht anreisen|doch nicht|nicht reisen & buchung|zimmer|"
            "reservierung|geld|leider|krank|frei & !stornieren",
        ),
        IntentType.ARRIVAL_TIME: (
            "kommen|ankunft|ankommen|landen|reise|sind & gegen 0|um 00|um 0|ca 00|nach mitternacht|halb|viertel|"
            "uhr an|spat an|um 00 uhr & !eher anreisen|rezeption vorbei",
            "verspatung|im stau|sind unterwegs|wird spater & !eher anreisen|rezeption vorbei",
            "rezeption & ankommen|besetzt & !eher anreisen|rezeption vorbei",
            "ankommen|kommen|ankunft|sind. da|da sein|landen|landet|eintreffen|anreisen|reisen|bei euch|bei ihnen|"
            "treffen & @time & !zimmer|fruher|taxi|abhol|putz|fruhstuck|tisch|reinigung|bleiben|gut angekommen|"
            "handwerker|wie komm",
            "verspatung|verspatet|stau|spater.|verzogert & zug|flug|flieger|wir|ich|bahn|stunde|fahre|"
            "bus & !auschecken|abreise|check out|antwort|melde",
            "unterwegs|auf dem weg|in 00 min|in einer stunde|gerade gelandet|noch 00 km & !essen|gut",
            "rezeption|jemand|empfang & besetzt|offen|da.|nachts|24|spat|mitternacht & ankommen|kommen|spat|nachts|"
            "anreise|landen|besetzt|24|um 0",
        ),
        IntentType.DIRECTIONS: (
            "wie kommen wir|wie komme ich|wie kommt man|wegbeschreibung",
            "adresse.|hausnummer|finden den eingang|wo seid ihr|findet es nicht",
            "taxi|shuttle|transfer|bus.|abholen & gibt es|konnen|konnten|brauche|bestellen|bieten|welcher|bitte",
            "wie weit",
            "adresse|postleitzahl|plz|navi|welche ausfahrt|welche haltestelle|welche linie|nachste haltestelle|"
            "nachste u bahn|nachste bahnhof|standort & !mail|rechnung",
            "wie & komm|finde|erreich|gelang|fahr & zu euch|zu ihnen|hotel|flughafen|bahnhof|innenstadt|zentrum|"
            "strand|hin.|hafen|altstadt|von",
            "taxi|bus.|zug|bahn|u bahn|s bahn|tram|shuttle|transfer|fahre.|uber & flughafen|bahnhof|bestellen|"
            "rufen|zum|vom|fahrt|zentrum|reservieren|buchen|organisieren & @ask & !danke|vergessen|verloren|liegen",
            "abholen|abgeholt|abholung & uns|mich|flughafen|bahnhof|hafen|konn|wer & !rechnung|paket|gepack",
            "verfahren|verlaufen|verirrt|finden euch nicht|finden sie nicht|finden das hotel|wie weit|zu fuss|"
            "wie lange & hotel|zum|bahn|wir|strand|haben|vom|bis",
        ),
        IntentType.PARKING: (
            "parken|parkplatz|parkplatze|parkgebuhr|stellplatz|garage|tiefgarage & !meerblick",
            "auto|wohnmobil|motorrad & abstellen|stehen lassen|hinstellen|wo. & !meerblick",
            "ladesaule|e auto laden & !meerblick",
            "park.|parken|parkplatz|parkplatze|parkhaus|tiefgarage|stellplatz|garage|parkt|parkgebuhr|"
            "anwohnerpark & @ask|kostet|reservier|kosten|bewacht|frei|sicher|passt|hoch & !meerblick|danke|"
            "nationalpark|spazier|haben geparkt|stadtpark",
            "abstellen|stehen lassen|hinstellen|unterstellen|lassen & auto|motorrad|transporter|wohnmobil|"
            "wohnwagen|rader|fahrrad|anhanger|wagen & @ask|wo & !schlussel",
            "ladesaule|ladestation|laden|aufladen|wallbox & auto|e auto|elektro|tesla|hybrid|ladesaule|wallbox",
        ),
        IntentType.WIFI_ACCESS: (
            "wlan|wifi|wi fi|internet|netz & passwort|code|langsam|geht|verbinden|kein|komme|pw.",
            "turcode|zugangscode|code fur die|tastenfeld|code geht",
            "karte & tur. & offnet",
            "passwort",
            "wlan|wifi|wi fi|internet|netz|netzwerk & passwort|code|langsam|bricht|abbruch|geht nicht|kein|wie|"
            "verbind|komme|kommen|weg|funktioniert|rein.|zugang|einloggen|laptop|pw & !flughafen|super|danke|"
            "netzteil",
            "code|turcode|pin|zahlencode & tur|tor|eingang|haus|schlusselbox|schlusselkasten|rein.|"
            "gebaude & !funktioniert jetzt|auf anhieb|danke|plz",
            "karte|zimmerkarte|schlusselkarte|chip|schlussel & geht nicht|geht nicht mehr|offnet|zweite|zweiten|"
            "noch ein|neue|funktioniert|weiterer|ersatz|sperrt & !kreditkarte|ec karte|zahlen|auto|danke|bezahl|"
            "speisekarte|belastet",
            "ausgesperrt|kommen nicht rein|komme nicht rein|nicht ins haus|nicht ins gebaude|stehen vor der tur",
        ),
        IntentType.HOUSEKEEPING: (
            "handtucher|handtuecher|badetucher & bitte|frische|saubere|konn|koenn|brauch|mehr|fur die|bringen|"
            "noch & !strandtucher|sauberer|flauschig|nicht gewechselt",
            "klopapier|toilettenpapier|bettwasche & !strandtucher|sauberer|flauschig|nicht gewechselt",
            "putzen|geputzt|reinigung|zimmer wurde heute nicht|bett ist nicht gemacht|mull. & !strandtucher|"
            "sauberer|flauschig|nicht gewechselt",
            "handtuch|handtucher|handtuecher|bettwasche|laken|bettzeug|badematte|bezug|bettbezug & @ask|frisch|neu|"
            "sauber|wechsel|mehr|keine|dreckig|noch & !strand|pool|genug|danke",
            "klopapier|toilettenpapier|shampoo|seife|duschgel|kapseln|taschentucher|rolle & @ask|mehr|kein|leer|"
            "alle.|nach|noch",
            "putz|reinig|sauber|saugen|wischen|gemacht|aufraum|zimmerservice|reinigung|zimmermadchen & zimmer|bad.|"
            "bett|heute|morgen|nicht|niemand|boden|nach 0|spater|bitte|sand & !danke|nett|frechheit|super|"
            "unverschamt|ist sauber|fruhstuck",
            "bett.|betten & gemacht|machen|beziehen",
            "mull|mulleimer|papierkorb|abfall & leer|voll|uberlauf|mitnehmen|rausbring|entsorg",
        ),
        IntentType.AMENITY_REQUEST: (
            "kissen|decke.|decken|babybett|gitterbett|bugeleisen|dampfbugeleisen|fohn|ladekabel|adapter|"
            "wasserkocher|regenschirm|bademantel & konnen|konnten|haben|gibt|brauch|bitte|moglich|leihen|ware|noch",
            "pool|sauna|fitness|spa. & wann|offen|offnet|offnungszeiten|termin|nachts",
            "kissen|decke.|wolldecke|bettdecke|babybett|kinderbett|gitterbett|reisebett|hochstuhl|fohn|"
            "haartrockner|bugeleisen|bugelbrett|wasserkocher|adapter|regenschirm|schirm|ladekabel|ladegerat|"
            "bademantel|hausschuhe|ventilator|warmflasche|korkenzieher|mikrowelle|sonnenschirm|strandtuch|"
            "strandtucher|pooltucher|zahnburste|zahnpasta|rasierer|nahzeug|flaschenoffner|weinglaser|rollstuhl|"
            "kinderwagen|kuhlschrank|heizlufter|babywanne|zustellbett|brettspiel|yogamatte|fahrrader|rader|"
            "verlangerungskabel|kleiderbugel|pflaster & @ask|leih|ausleih|miet|noch|extra & !kaputt|vergessen|"
            "liegen|verloren|auto|danke fur|geht nicht|tropft|defekt|laut",
            "pool|schwimmbad|fitness|spa.|sauna|dampfbad|massage|whirlpool|wellness|waschmaschine|tennis|fahrrad|"
            "wascherei|anwendung & wann|offen|offnet|geoffnet|offnungszeit|buchen|kostet|nutzen|gibt|termin|leihen|"
            "bis|konnen|hatte & !toll|larm|super",
            "leihen|ausleihen|ausborgen|borgen",
        ),
        IntentType.MAINTENANCE: (
            "klimaanlage|heizung|dusche|toilette|spulung|fernseher|lampe|licht|fenster|safe.|waschbecken|strom|"
            "kuhlschrank & geht nicht|kaputt|verstopft|defekt|ausgefallen|tropft|klemmt|lauft nicht|"
            "geht auch nicht|nicht einschalten|nicht zu|weg.|bleibt kalt|warme luft",
            "warmes wasser & kein",
            "wasser durch die decke|undicht",
            "klima|klimaanlage|heizung|heizkorper|dusche|toilette|klo.|spulung|fernseher|tv.|lampe|licht|birne|"
            "steckdose|kuhlschrank|safe.|tresor|waschbecken|abfluss|wasserhahn|hahn|boiler|fenster|rollladen|rollo|"
            "tur.|balkontur|schloss|aufzug|fahrstuhl|fohn|fernbedienung|thermostat|minibar|strom|wasser|badewanne|"
            "sicherung|bett.|wasserkocher|lattenrost & @broken & !code|karte|geht wieder|repariert|danke|handtuch|"
            "wlan|papier|fruhstuck|auto|warmflasche|gelacht|wieder",
            "warmwasser|warmes wasser|heisses wasser & kein|nicht|nur|ohne",
            "riecht|gestank|geruch & gas|verbrannt|rauch|kanal",
            "konnen|kann|lasst & nicht & offnen|schliessen|ausschalten|ausmachen|anmachen|regeln|aufmachen|"
            "zumachen & !code|karte",
            "wasserschaden|tropft|leck.|rohrbruch & !danke",
        ),
        IntentType.COMPLAINT: (
            "frechheit|enttausch|beschwer|schlechteste|unverschamt|mieser|unzumutbar|inakzeptabel|verargert",
            "laut.|schreien|larm & schlafen|geschlafen|seit|tun sie",
            "zimmer & dreckig|schmutzig|stinkt|riecht",
            "wanzen|kakerlaken|flecken|nicht das was wir gebucht|mehr erwartet|saubereren",
            "frechheit|enttausch|beschwer|unverschamt|unmoglich.|katastroph|zumutung|unzumutbar|schlecht|miserabel|"
            "unzufrieden|nicht zufrieden|sauer|verarger|emport|abzocke|entschadigung|nie wieder|lasst zu wunschen|"
            "skandal|inakzeptabel|nicht akzeptabel|reicht mir|ekelhaft|eklig|widerlich|unfreundlich|"
            "schlechte bewertung|saustall|witz & !flughafen|keine beschwerde|nicht schlecht|wetter|nicht enttausch|"
            "stau",
            "schimmel|kakerlake|wanzen|ameisen|dreckig|schmutz|stinkt|riecht nach|haare|flecken|staub & zimmer|"
            "bad.|bett|wand|decke|uberall|laken|im & !gas|handtuch|verbrannt",
            "larm|laut.|party|geschrei|musik|baustelle|nachbarn|krach|gehammer & schlaf|geschlafen|nacht|seit|"
            "unertraglich|ruhe|stunden|schon wieder|tun|dagegen & !kein larm|danke|kuhlschrank|aufgehort|klima",
            "nicht das|nicht wie|hat nichts mit & gebucht|bezahlt|fotos|bild|beschreibung",
            "bezahlt & meerblick|bekommen",
            "ignoriert|angeschnauzt|unhoflich|patzig & personal|kollege|kollegin|uns.|mich|rezeption|kellner",
        ),
        IntentType.DINING: (
            "fruhstuck|fruehstuck & wann|dabei|bis wann|gibt|konnen|koennen|inklusive|"
            "sonntags & !im zimmer bleiben|zimmer behalten|schon reserviert",
            "tisch & reservieren|heute abend|fur|terrasse & !im zimmer bleiben|zimmer behalten|schon reserviert",
            "gluten|vegan|vegetarisch|nussallergie|allergi|speisekarte|aufs zimmer bestellen|"
            "essen aufs zimmer & !im zimmer bleiben|zimmer behalten|schon reserviert",
            "restaurant|kuche & offen|gerichte & !im zimmer bleiben|zimmer behalten|schon reserviert",
            "gut essen|abendessen um & !im zimmer bleiben|zimmer behalten|schon reserviert",
            "fruhstuck|fruehstuck|abendessen|mittagessen|brunch|buffet|essen.|abendbrot & wann|bis.|inklusive|"
            "dabei|kostet|um wie|gibt|konnen|kann|wo.|mitnehmen|aufs zimmer|fruher|noch|reservieren|kinder|"
            "lunchpaket & @ask|wann & !lecker|war.|ausgezeichnet|kalt|brauchen kein|gegessen|danke",
            "tisch & reserv|fur 0|fur zwei|fur vier|heute abend|samstag|restaurant|terrasse|frei|personen|bestell",
            "restaurant|bar.|kuche|cafe & offen|geoffnet|offnet|schliesst|empfehl|reserv|bis.|karte|noch|"
            "nahe & !larm|rechnung|laut",
            "allerg|zoliakie|vegan|vegetar|glutenfrei|laktose|halal|koscher|unvertraglich & karte|kuche|gibt|haben|"
            "gericht|konn|bescheid|option|habt|etwas|bitte",
            "bestellen|bringen|hochbringen|schicken|liefern & sandwich|bier|wein|kaffee|pizza|burger|flasche|essen|"
            "eiswurfel|sekt|schnitzel|snack",
            "wo & essen|abendessen|restaurant|trinken gehen|pizza|fisch",
            "zimmerservice|kindermenu|kinderteller|tageskarte|speisekarte & @ask|haben|gibt",
        ),
        IntentType.PAYMENT: (
            "rechnung|beleg & schicken|brauch|bitte|mail|auf der|stimmt|auf meine|firma|gmbh",
            "abgebucht|belastet|berechnet|auf meiner karte",
            "zahlen|bezahlen & bar.|karte|kann man",
            "kaution|geld zuruck & wann|bekomme",
            "nehmen sie amex|kurtaxe|noch offen",
            "rechnung|beleg|quittung & @ask|name|firma|falsch|fehler|schick|mail|kopie|stimmt|ausstell|begleichen|"
            "schreiben|teilen & !danke|erhalten|angekommen",
            "abgebucht|belastet|berechnet|abbuchung|buchung|verrechnet|kassiert & zweimal|doppelt|karte|"
            "drei nachte|nicht|warum|minibar|falsch|zu viel|fehler|unbekannt|statt & !stornier|andern|verschieb",
            "zahlen|bezahlen|begleichen|zahlung & @ask|bar.|karte|jetzt|uberweis|link|vorab|raten|paypal & !park|"
            "bezahlt",
            "kaution|anzahlung|ruckerstattung|ruckzahlung|erstattung|geld zuruck & wann|wie|zuruck|noch nicht|"
            "warum|bekomm & !stornier|danke",
            "nehmen|nehmt|akzeptier & amex|karte|bar|visa|apple|dollar|kontaktlos|paypal|ec",
            "wie viel|was.|wieviel & schulden|offen|zahlen wir|gesamt|summe & !park",
            "kurtaxe|bettensteuer|gesamtbetrag|zahlungslink|ortstaxe",
        ),
        IntentType.LOST_ITEM: (
            "vergessen|liegen lassen|liegen gelassen|verloren|finde mein|liegt noch|noch im bett|"
            "nicht in der tasche & jacke|ladegerat|brille|sonnenbrille|geldbeutel|pass.|handy|teddy|ohrring|kamera|"
            "ring.|schal.|mantel|schlussel|tasche",
            "gefunden|abgegeben & jemand|wurde",
            "vergessen|liegen lassen|liegen gelassen|liegengelassen|verloren|finde|finden|fehlt|vermisse|verlegt|"
            "liegt noch|lag|hangt noch|stehen lassen|rausgefallen & jacke|ladegerat|brille|geldbeutel|portemonnaie|"
            "pass.|ausweis|handy|teddy|kuscheltier|ohrring|kamera|ring.|ehering|schal|mantel|schlussel|tasche|uhr.|"
            "schuh|strickjacke|pulli|pullover|mutze|armband|kette|buch.|tablet|ipad|kindle|rucksack|medikament|"
            "tabletten|kleid|hemd|kopfhorer|airpods|bikini|badehose|pyjama|schlafanzug|geschenke|puppe|hut.|"
            "kulturbeutel & !leih|haben sie ein|gefunden|zu hause|auto stehen",
            "gefunden|abgegeben|aufgetaucht|gesehen & jemand|haben sie|habt ihr|wurde & !danke|parkplatz|wir haben",
            "fundburo|fundsachen|fundsache",
        ),
        IntentType.OPT_OUT: (
            "keine nachrichten mehr|abmelden|abbestellen|hort auf|loschen sie meine nummer|keine werbung|"
            "schreiben sie mir nicht|schreibt mir nicht|aus dem verteiler|schluss mit & !steckdose|keinen saft|"
            "strom",
            "keine|hort auf|aufhoren|stop|stopp|schluss|nicht mehr|lasst & nachricht|sms|werbung|schreib|kontakt|"
            "mails|newsletter|angebote|spam|schicken|belastig & !erhalten|nachrichten von|keine sorge|bekommen",
            "abmelden|abbestellen|austragen|abmeldung|aus dem verteiler|nummer loschen|loschen sie meine|"
            "loscht meine|nehmt mich|nehmen sie mich|in ruhe & verteiler|liste|nummer|mich|abmelden|newsletter|sms|"
            "alle|nachrichten|bitte & !reservierung|essen",
        ),
        IntentType.HUMAN: (
            "echten menschen|echter mensch|mit einem menschen|ruckruf|verbinden sie mich",
            "sprechen|reden & chef|rezeption|jemandem|wem|menschen|will|muss",
            "anrufen & mich|konnen|soll|jemand",
            "sprechen|reden|telefonieren & jemand|mensch|chef|leiter|manager|rezeption|person|mitarbeiter|wem|"
            "geschaftsfuhr|echten|inhaber & !gestern|gesprochen",
            "echter mensch|echten menschen|echte person|richtigen menschen|kein roboter|keinem roboter|"
            "nicht mit einem bot|mit einem bot|maschine & sprechen|mensch|person|reden|will|jemand|"
            "roboter & !ich bin kein|bin kein",
            "anrufen|ruckruf|zuruckrufen|anruf|rufen|ruft & mich|uns|jemand|bitte|zuruck|an.|unter 0 & konn|bitte|"
            "kann|soll|jemand|dringend|ruckruf|durf|mal & !taxi|rufe an|ich rufe",
            "verbinden sie mich|stellen sie mich durch|geben sie mir den|durchstellen",
        ),
    },
    guards={
        "negation": (
            "keine handtucher|keine handtuecher|noch welche|nichts storniert|nicht storniert|nein danke|"
            "brauchen wir kein|brauchen kein|brauchen wir nicht|brauchen wir keine|keine kissen|nicht stornieren|"
            "stornieren nicht|dann eben kein|dann kein|haben kein auto|nichts geandert|passt.|notig|"
            "vergessen sie das|vergesst das|hat sich erubrigt|nicht notig|brauche kein|brauchen nicht|"
            "nicht mehr notig|wollen kein|ohne auto|nicht mit dem auto|haben genug|reicht uns|lieber nicht|"
            "geht auch ohne|schon gut|nicht nötig|kein bedarf|wollen wir nicht|lassen wir|"
            "mussen die handtucher nicht"
        ),
        "past": (
            "gut angekommen|war einfach|war leicht|letztes jahr|war super|war klasse|war ausgezeichnet|war sehr|"
            "war punktlich|schon bestatigt|haben wir rom|haben geparkt|garage geparkt|schon erklart|"
            "schon geschickt|schon bezahlt|schon gegessen|gegessen|wir haben gestern|genossen|hat uns abgeholt|"
            "haben sie schon|letztes mal|beim letzten|auf anhieb|schon gemacht|haben schon|hab schon|habe schon|"
            "bereits|vor jahren|war toll|war spitze|war perfekt|war lecker|war prima|waren toll|waren lecker|"
            "war so|stehen gelassen und|haben gegessen|haben das auto|sind angekommen|schon angekommen|"
            "schon eingecheckt|notiert|in einem anderen hotel|am flughafen war|furs nachste jahr|wie gebucht|"
            "wie besprochen|angehalten|das beste|schon reserviert|komm spater an|wie gesagt"
        ),
        "vehicle": ("das auto|unser auto|wagen."),
        "thanks": (
            "danke fur|vielen dank fur|danke dass|unsere rettung|lob an|danke wegen|danke furs|vielen dank|"
            "danke an|herzlichen dank|danke nochmal|super danke|tausend dank|kompliment|grosses lob|danke das"
        ),
        "settled": (
            "neue karte|neuer schlussel|neuen schlussel|ging am ende|geht jetzt|geht wieder|lauft wieder|"
            "wlan lauft|ist super|hat sich erledigt|alles gut|alles bestens|nichts zu meckern|hat sich gefunden|"
            "ist angekommen|ist da.|keine sorge|entwarnung|kein problem|ist durch|schlussel gefunden|zuruckgerufen|"
            "parkplatz gefunden|kein larm|funktioniert wieder|ist wieder|repariert|behoben|erledigt|geklart|"
            "alles prima|alles in ordnung|keine beschwerde|nichts fehlt|aufgetaucht|wiedergefunden|war im koffer|"
            "war in meiner|war in der|hat aufgehort|lauft super|lauft prima|funktioniert super|funktioniert prima|"
            "geht einwandfrei|verstanden|alles klar|in ordnung|passt so|passt uns|auf anhieb|waren so|"
            "nicht gewechselt"
        ),
    },
)
