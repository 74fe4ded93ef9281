"""Italian."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "puo|posso|possiamo|potete|potrest|potremmo|potrei|potrebb|possibil|per favore|per piacere|serve|"
            "servono|servirebb|vorre|vogli|avete|avreste|c'e|ci sono|ci sarebb|come.|dove|quale|quali|quando|"
            "quanto|a che ora|che ora|si puo|mi serve|ci serve|ho bisogno|abbiamo bisogno|manca|mancano|portat|"
            "mandat|sarebbe|qualcuno|chi.|fino a che|riuscite|devo|dobbiamo|fate|e possibile"
        ),
        "broken": (
            "non funziona|non va.|non parte|non si accende|non si apre|non si chiude|non si spegne|non scalda|"
            "non raffredda|non scende|rott|guast|intasat|otturat|goccio|perde|perdit|fulminat|rumore|fredd|non c'e|"
            "senza.|bloccat|incastrat|puzza|lampeggia|salta|staccat|tiepid|trabocc|non scarica|nessun segnale|"
            "non esce|non smette|allagat"
        ),
        "time": (
            "alle 0|verso le|per le 0|mezzanotte|di sera|di notte|del mattino|del pomeriggio|mezz'ora|ore|minuti|"
            "all'una|mezzogiorno|intorno alle|sulle 0|00 min"
        ),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in anticipato|check in prima|entrare prima & !liberare|lasciare la camera",
            "la camera|in camera|le chiavi & prima delle 00|prima di mezzogiorno|prima dell'orario|al piu presto|"
            "subito|prima del solito|libera alle & !liberare|lasciare la camera",
            "camera|entrare|check in|chiavi|chiave|stanza & prima|anticip|in mattinata|la mattina|presto|"
            "di mattina|per le 0|gia alle|verso le 00 & @ask & !colazione|uscire|check out|puli|partenza|lasciare|"
            "taxi|pagare",
            "camera|stanza & pronta|gia libera|disponibile & e.|gia|quando & !grazie",
            "arrivo anticipato|arrivare prima|entrata anticipata & @ask",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|check out posticipato|check out piu tardi|uscire piu tardi|ritardare l'orario|"
            "partire piu tardi|ritardare la partenza|spostare la partenza & !saldare|pagare|atterra",
            "tenere|restare in|rimanere in|lasciare|lasciamo & la camera|camera|la stanza & fino|un po' di piu|"
            "oltre le|invece|alle 00|verso l'una & !saldare|pagare|atterra",
            "partire alle|uscire alle & invece|possiamo|si puo & !saldare|pagare|atterra",
            "restare fino alle & !saldare|pagare|atterra",
            "tenere|restare|rimanere|usare|lasciare|lasciamo|liberare & camera|stanza & fino|piu tardi|piu a lungo|"
            "un po'|dopo le|qualche ora|un paio d'ore|oltre & !prima di|arriv|dimentic|valigi|bagagl",
            "uscire|check out|checkout|partire|partenza|andare via & piu tardi|tardi.|posticip|ritard|invece|dopo|"
            "alle 0|all'una|un'ora in piu & @ask & !taxi|volo|treno",
            "late check|uscita posticipata|ore in piu & @ask",
        ),
        IntentType.BOOKING_CHANGE: (
            "cambiare|modificare|spostare|allungate|accorciare|prolungare & prenotazione|le date|il nome|soggiorno|"
            "fino a|notti & !trapunta|cuscin|coperta|prenderci|come detto|valigie|vista mare|per le 0|prima delle|"
            "asciugaman",
            "aggiungere|ancora & una notte|notti & !trapunta|cuscin|coperta|prenderci|come detto|valigie|"
            "vista mare|per le 0|prima delle|asciugaman",
            "camera|matrimoniale|scambiare & letti separati|piu grande|singole|upgrade & !trapunta|cuscin|coperta|"
            "prenderci|come detto|valigie|vista mare|per le 0|prima delle|asciugaman",
            "sbagliat & prenotazione|data di arrivo|la data & !trapunta|cuscin|coperta|prenderci|come detto|"
            "valigie|vista mare|per le 0|prima delle|asciugaman",
            "un giorno prima|vista mare & !trapunta|cuscin|coperta|prenderci|come detto|valigie|vista mare|"
            "per le 0|prima delle|asciugaman",
            "cambiare|modificare|spostare|anticipare|posticipare|rimandare|correggere|cambiate|"
            "correggete & prenotazione|date.|data|soggiorno|nome|giorni|settimana|arrivo|notti",
            "notte|notti & in piu|aggiung|un'altra|in meno|extra|restare|prolung|ulterior|anziche|invece & @ask|"
            "restare",
            "saremo|siamo|verra|veniamo & persone|in piu|adulti|bambini|in cinque|in quattro|in tre|invece|"
            "non 0 & !tavolo|colazione|cena|come da",
            "cambiare|passare|metter|spostar|avere & camera|piano|suite|matrimoniale|singola|letti separati|"
            "vista mare|familiare & @ask|invece|anziche & !asciugaman|lenzuol|lampadin|puli|cuscin",
            "nome & prenotazione & sbagliat|corregg|cambi|errat",
            "partire|tornare|arrivare|andar & un giorno prima|giorno dopo|un giorno in meno|un giorno",
            "sbagliat & data|date|giorno|prenotazione|nome|mese",
            "prolungare|allungare|accorciare|estendere & soggiorno|notte|giorn",
        ),
        IntentType.CANCELLATION: (
            "cancellare|cancellate|annullare|annullate|disdire|disdetta|cancello & prenotazione|camere|camera|"
            "viaggio|tutto|gratis|soggiorno|come|devo|dobbiamo|oggi|pren|per favore|pure & !mensag|messag|sms|"
            "suscri|inscri|iscri|these messages|lista|newsletter",
            "cancellazione & !mensag|messag|sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "non possiamo venire|alla fine non veniamo & !mensag|messag|sms|suscri|inscri|iscri|these messages|"
            "lista|newsletter",
            "cancell|annull|disdi|disdett & prenotazione|camera|stanza|soggiorno|viaggio|penale|gratis|gratuit|"
            "costi|rimbors|come|devo|dobbiamo|vogli|vorre|politica|possibile|posso|possiamo|per favore|notte|"
            "condizioni|quando & !volo|non cancell|non annull|non abbiamo|cena|tavolo|taxi|iscri|lista|messagg|"
            "cancello",
            "non veniamo|non possiamo venire|non verremo|non riusciamo a venire|non posso venire|"
            "impossibilitat & prenotazione|camera|rimbors|piu|purtroppo|alla fine",
            "rinunci & prenotazione|soggiorno|camera|viaggio",
        ),
        IntentType.ARRIVAL_TIME: (
            "arriviamo|arrivo|saremo|atterr|siamo li & alle 0|verso le|00|dopo mezzanotte|previsto|in ritardo|"
            "e mezza & !avere la camera|passo",
            "facciamo tardi|volo e in ritardo|per strada|nel traffico|un'ora di ritardo & !avere la camera|passo",
            "reception & aperta|arriviamo & !avere la camera|passo",
            "arriv|saremo|saro|atterr|siamo li|saremo li|da voi|sbarch & @time & !camera|prima|tavolo|colazione|"
            "taxi|prendere|come|puli|partenza|arrivati bene|navetta",
            "ritardo|in ritardo|traffico|coda & volo|treno|siamo|arriv|ore|ora|tardi|aereo|pullman & !check out|"
            "partenza|ieri|scus",
            "per strada|in viaggio|tra 00 min|fra 00 min|tra mezz'ora|tra un'ora|appena atterrat|"
            "siamo quasi & !mangia|pranzo|bene|fermati",
            "reception|qualcuno & apert|notte|24|c'e|tardi|mezzanotte & arriv|tardi|mezzanotte|24|notte",
        ),
        IntentType.DIRECTIONS: (
            "come si arriva|come arrivo|come si va|come possiamo arrivare",
            "l'indirizzo|numero civico|non troviamo l'ingresso|dove siete",
            "taxi|navetta|transfer|autobus|prendere in aeroporto & c'e|potete|serve|prenotate|chiamate|che.|fate|"
            "venirci",
            "quanto dista",
            "indirizzo|cap.|navigatore|quale uscita|quale fermata|quale linea|fermata piu vicina|metro piu vicina|"
            "stazione piu vicina|posizione & @ask|esatto|hotel|mandar|scend|per il & !mail|email|fattura",
            "come & arriv|raggiung|si va|venire|vengo & hotel|aeroporto|stazione|centro|spiaggia|da voi|voi|porto|"
            "li.|citta|dal",
            "taxi|bus.|autobus|metro|treno|navetta|transfer|tram|uber|pullman & aeroporto|stazione|prenotare|"
            "chiamare|ordinare|per il|per andare|centro|da voi|quale|costa & @ask & !grazie|dimentic|perso|lasciat",
            "venire a prenderci|prenderci|venirci a prendere|venire a prendermi|ci prende|prelevarci & @ask|"
            "aeroporto|stazione|porto",
            "ci siamo persi|mi sono perso|mi sono persa|non troviamo l'hotel|non trovo l'hotel|quanto dista|"
            "quanto ci vuole|e lontano|a piedi & quanto|hotel|come|dal|la|il|siamo|per",
        ),
        IntentType.PARKING: (
            "parcheggi|posto auto|garage & !vista mare",
            "dove & lasciare|mettiamo & macchina|auto.|camper|moto. & !vista mare",
            "lasciare l'auto|colonnina & !vista mare",
            "parchegg|posto auto|garage|box auto|parcheggiare|posteggi & @ask|costa|prezzo|prenotare|custodito|"
            "coperto|gratis|sorvegliato & !vista|grazie|abbiamo parcheggiato|perfetto|ricevuto",
            "lasciare|mettere|tenere|posto per & macchina|auto.|moto.|moto|furgone|camper|biciclette|bici|"
            "roulotte & @ask & !chiavi",
            "caricare|ricaric|colonnin|presa & auto|elettric|tesla|macchina|ibrida",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & password|codice|non funziona|lentissimo|lento|niente|connett|collegar",
            "codice & porta|portone|accesso|cancello|non va.",
            "password|tessera non apre|chiusi fuori|tastierino",
            "wifi|wi fi|internet|rete.|connession|connett|collegar & password|codice|non va|non funziona|lent|cade|"
            "come|qual|non riesco|non prende|saltare|salta|segnale|niente|accesso|computer|portatile & !aeroporto|"
            "benissimo|perfetto|grazie per|ottimo",
            "codice|pin & porta|portone|ingresso|cancello|entrare|accesso|palazzo|cassetta & !postale|"
            "al primo colpo|grazie|funzionato",
            "tessera|chiave|scheda|card|badge & non apre|non funziona|non va|seconda|altra|nuova|copia|smagnetizz|"
            "smesso|doppione & !credito|pagare|pagament|auto|grazie|addebit",
            "non riusciamo a entrare|non riesco a entrare|non riusciamo ad entrare|chiusi fuori|chiuso fuori|"
            "restati fuori|rimasti fuori",
        ),
        IntentType.HOUSEKEEPING: (
            "asciugamani & potremmo|potete|puliti|per la|per favore|servono|altri|portate|solo|"
            "ci date & !teli mare|piu puliti|ostelli|morbid",
            "carta igienica|lenzuola|cestino|teli bagno|spazzatura & !teli mare|piu puliti|ostelli|morbid",
            "pulire|pulita|pulizie|rifatto & camera|la 000|oggi & !teli mare|piu puliti|ostelli|morbid",
            "letto e da rifare|carta in bagno & !teli mare|piu puliti|ostelli|morbid",
            "asciugaman|lenzuol|biancheria|tappetino|federa|federe|teli & @ask|cambi|pulit|sporc|altri|non ci sono|"
            "finiti|manca & !spiaggia|piscina|abbiamo ancora|mare",
            "carta igienica|shampoo|sapone|bagnoschiuma|capsule|fazzoletti|rotolo & @ask|altr|finit|manc|non c'e|"
            "esaurit|senza",
            "puli|aspirapolvere|rifare|riordin|rifatt|passare & camera|stanza|bagno|letto|letti|oggi|domani|"
            "nessuno|pavimento|dopo le|sabbia & !grazie|gentil|signora delle|vergogn|pessim|schifo|perfett",
            "letto|letti & rifatt|rifare|disfatt",
            "spazzatura|cestino|immondizia|pattumiera & svuot|pien|portar|buttar|tracim|trabocc",
        ),
        IntentType.AMENITY_REQUEST: (
            "cuscino|coperte|coperta|trapunta|culla|ferro da stiro|ferro a vapore|asciugacapelli|bollitore|"
            "adattatore|ombrello|caricabatterie|accappatoio & possiamo|potete|avete|avreste|serv|c'e|prestate|"
            "favore|possibile|camera|un altro|un'altra",
            "piscina|palestra|spa.|sauna & che ora|apre|aperta|prenotare|quando|orari",
            "cuscino|cuscini|coperta|coperte|piumone|culla|lettino|seggiolone|asciugacapelli|phon|fon.|"
            "ferro da stiro|asse da stiro|bollitore|adattatore|ombrello|caricabatteri|accappatoio|ciabatte|"
            "ventilatore|borsa dell'acqua|cavatappi|microonde|ombrellone|teli mare|telo mare|teli da spiaggia|"
            "asciugamani da spiaggia|spazzolino|dentifricio|rasoio|kit da cucito|apribottiglie|calici|"
            "sedia a rotelle|passeggino|frigo|stufetta|vaschetta|letto aggiuntivo|letto extra|giochi da tavolo|"
            "tappetino yoga|biciclette|bici|prolunga|grucce|scaldabiberon & @ask|prest|nolegg|un altro|un'altra|"
            "in piu & !rott|non funziona|dimentic|lasciat|perso|auto|grazie|guast|elettric",
            "piscina|palestra|spa.|sauna|bagno turco|massaggio|idromassaggio|trattamento|lavanderia|lavatrice|"
            "tennis|biciclette|jacuzzi & ora|apre|apert|chiude|orari|prenotare|quanto|usare|c'e|si puo|vorre|"
            "noleggi & !bellissima|rumore|fantastic",
            "prestare|prestito|prestate|prestarmi|prestarci",
        ),
        IntentType.MAINTENANCE: (
            "aria condizionata|riscaldamento|doccia|water|sciacquone|tv.|lampadina|lampada|finestra|cassaforte|"
            "lavandino|luce|frigo & non funziona|rott|intasat|guast|fulminat|perde|non si accende|non si chiude|"
            "bloccat|non scarica|andata via|fredda|non parte|aria calda",
            "acqua calda & non|niente|senza",
            "scende acqua|perdita d'acqua",
            "aria condizionata|condizionatore|clima|riscaldamento|termosifone|radiatore|doccia|water|wc|sciacquone|"
            "tv.|televisore|televisione|luce|luci|lampada|lampadina|presa|frigo|cassaforte|lavandino|scarico|"
            "rubinetto|caldaia|finestra|tapparella|persiana|porta|balcone|serratura|ascensore|phon|acqua|"
            "telecomando|termostato|minibar|soffitto|corrente|vasca|letto & @broken & !codice|tessera|chiave|"
            "ora funziona|riparat|grazie|asciugaman|wifi|carta|bottiglia|borsa|colazione|auto|piscina",
            "acqua calda & non|niente|senza|piu & !borsa|bottiglia",
            "odore|puzza & gas|bruciato|fumo|fogna",
            "non riusciamo|non riesco|non si puo & aprire|chiudere|spegnere|accendere & finestra|porta|"
            "riscaldamento|aria|luce|cassaforte|tv|doccia & !codice|tessera",
            "perdita|allagat|esce acqua|cade acqua",
        ),
        IntentType.COMPLAINT: (
            "inaccettabile|delus|vergogna|pessimo|reclamo|il peggior|maleducato|arrabbiat|schifo|ci aspettavamo di piu",
            "rumore|urlano & dorm|da mezzanotte|fate qualcosa|assurdo|tremendo",
            "la camera & sporca|puzza",
            "insetti|scarafaggi|cimici|macchie|non e quello che|piu puliti",
            "vergogn|inaccettabil|delus|pessim|orribile|terribile|disastro|schifo|indecent|reclam|lament|"
            "recensione negativa|non siamo contenti|non sono contento|insoddisfatt|scontent|truffa|presa in giro|"
            "risarcimento|mai piu|lascia a desiderare|stufo|stufi|maleducat|intollerabil|arrabbiat|furios|"
            "uno scandalo|scarso & !aeroporto|nessuna lamentela|non mi lament|meteo|traffico|rimborsato",
            "muffa|scarafagg|cimici|formiche|sporc|puzza|macchi|capelli|polvere|insetti & camera|bagno|letto|muro|"
            "soffitto|lenzuola|ovunque|stanza|sono|di.|nel & !gas|asciugaman|bruciato",
            "rumor|festa|urla|gridano|musica|lavori|vicini|casino|baccano & dormi|notte|possibile|insopportab|"
            "ancora|fate|ore|smett|chiuso occhio & !finito|grazie|frigo|aria",
            "non e quello|niente a che vedere|nulla a che & prenotat|pagat|foto|aspett",
            "pagato & vista mare",
            "ignora|trattat|scortes & personale|collega|cameriere|reception|ci.|mi.",
        ),
        IntentType.DINING: (
            "colazione & ora.|inclusa|possiamo|servite|fino a & !tenere la camera|restare in camera",
            "un tavolo & prenotare|stasera|per.|terrazza & !tenere la camera|restare in camera",
            "senza glutine|vegan|vegetarian|allergic|il menu|ordinare in camera|"
            "da mangiare in camera & !tenere la camera|restare in camera",
            "ristorante|cucina & aperto|aperta|piatti & !tenere la camera|restare in camera",
            "dove si mangia|cena alle|cenare alle & !tenere la camera|restare in camera",
            "colazione|cena.|cenare|pranzo|mangiare|buffet|brunch|pranzare & ora|quando|inclusa|compres|fino|"
            "servite|costa|quanto|possiamo|posso|dove|c'e|asporto|in camera|presto|prima|ancora|prenotare|bambini|"
            "al sacco & !ottima|deliziosa|abbiamo cenato|fredda|non ci serve|gia|abbiamo mangiato|squisita",
            "tavolo & prenot|per 0|per due|per quattro|stasera|sabato|ristorante|terrazza|libero|persone",
            "ristorante|bar.|cucina & apert|apre|chiude|ora|consigli|prenot|fino|ancora|vicin|menu & !rumore|conto|"
            "addebit",
            "allerg|celiac|vegan|vegetarian|senza glutine|senza lattosio|halal|kosher|intolleran & menu|cucina|"
            "opzion|avete|avvis|piatt|puo|colazione|c'e|qualcosa|dite",
            "ordinare|portar|mandare|mandate & panino|birra|birre|vino|caffe|pizza|hamburger|bottiglia|cena|"
            "ghiaccio|toast|da mangiare|prosecco",
            "dove & cenare|mangiare|mangia|ristorante|pesce|pizzeria|aperitivo",
            "servizio in camera|menu bambini|menu del giorno|il menu & @ask|avete|vedere",
        ),
        IntentType.PAYMENT: (
            "fattura|ricevuta & mand|serve|vuole|intestata|puo",
            "addebit & due volte|carta|minibar|riconosco|mi avete",
            "pagare & contanti|carta|bancomat|resta|si puo|posso",
            "cauzione|i soldi & quando",
            "errore nel conto|tassa di soggiorno",
            "fattura|ricevuta|scontrino|il conto & @ask|nome|azienda|ditta|mand|error|sbagliat|mail|copia|intest|"
            "saldare|dividere & !grazie|arrivata|ricevut|gia",
            "addebit|prelevat|fatturat|addebitat|pagamento|conteggiat & due volte|carta|tre notti|non ho|"
            "non abbiamo|errore|perche|minibar|non riconosc|autorizz|in piu|doppio|troppo|invece & !tessera",
            "pagare|saldare|pagamento & @ask|contanti|carta|adesso|bonifico|link|anticipo|bancomat|rate|satispay|"
            "paypal & !parcheggi|pagato",
            "cauzione|deposito|rimborso|acconto|caparra & quando|come|non ancora|perche|restitu|indietro|"
            "@ask & !cancell|annull|disd|grazie",
            "accettate|accettano|prendete & carta|carte|contanti|amex|american|visa|apple|dollari|satispay|"
            "bancomat|paypal|contactless",
            "quanto & dobbiamo|devo|totale|saldo|resta da",
            "tassa di soggiorno|imposta di soggiorno|totale del soggiorno|link di pagamento",
        ),
        IntentType.LOST_ITEM: (
            "lasciat|dimenticat|perso|non trovo|rimasto|non e in borsa|lasciato & giacca|caricatore|occhiali|"
            "portafoglio|passaporto|telefono|peluche|orecchino|macchina fotografica|anello|l'anello|sciarpa|"
            "cappotto|chiavi",
            "qualcuno & ha trovato|ha consegnato",
            "stato consegnato",
            "lasciat|dimentic|perso|persa|non trovo|non troviamo|smarrit|caduto|caduta|manca|rimast & giacca|"
            "caricatore|caricabatterie|occhiali|portafogli|passaporto|telefono|cellulare|peluche|orecchin|"
            "macchina fotografica|anello|fede|sciarpa|cappotto|mazzo di chiavi|chiavi di casa|chiavi della|borsa|"
            "orologio|scarpa|scarpe|cardigan|maglione|felpa|cappello|bracciale|braccialetto|collana|libro|tablet|"
            "ipad|kindle|zaino|medicin|vestito|camicia|cuffie|airpods|costume|pigiama|portamonete|regali|bambola|"
            "golf & !prest|avete un|ritrovat|trovato nella|a casa|lasciare la|possiamo lasciare|l'auto",
            "trovat|ritrovat|vist.|consegnat & qualcuno|avete|e stato|hanno & !grazie|posto|parchegg",
            "oggetti smarriti|oggetto smarrito",
        ),
        IntentType.OPT_OUT: (
            "basta & messaggi|sms",
            "cancellarmi dalla|non scrivetemi|togliete il mio numero|toglietemi|ricevere pubblicita|disiscriv|"
            "smettetela",
            "smett|basta|non voglio|non mandate|non mandatemi|non inviate|non inviatemi|non scriv|non contatt|"
            "non desidero|stop & messagg|sms|scriver|pubblicita|promozion|inviare|email|mail|offerte|ricever|"
            "contatt|piu|newsletter & !non smett|arrivat|piove",
            "disiscri|cancellatemi|cancellarmi|togliete il mio|toglietemi|toglieteci|rimuovet|eliminate il mio|"
            "dalla lista|lasciatemi in pace|cancellate il mio numero|annullare l'iscrizione & numero|lista|mi.|mio|"
            "me.|tutto|iscri|pace|newsletter|sms & !prenotazione",
        ),
        IntentType.HUMAN: (
            "parlare con & persona|direttore|qualcuno|chi.|reception|operatore",
            "chiamare|richiamare|chiami|chiamarmi & mi.|fatemi|faccia|qualcuno",
            "operatore umano|mi passi",
            "parlare|parlo|contattare|comunicare & persona|qualcuno|responsabile|direttore|direttrice|reception|"
            "umano|operatore|titolare|chi.|vera & !ieri|parlato",
            "persona vera|persona reale|un essere umano|un umano|non un robot|non con un robot|non una macchina|"
            "un bot|con una macchina & !non sono",
            "chiamar|richiam|telefon|chiamat|chiami & mi.|mi|ci.|qualcuno|al 0|numero|per favore|urgente|potete|"
            "puo & !taxi|vi chiamo|richiamato",
            "mi passi|passatemi|mi passa|mi passate & il.|la.|l|direttore|responsabile|reception",
        ),
    },
    guards={
        "negation": (
            "niente asciugamani|ne abbiamo ancora|non ho cancellato|non abbiamo cancellato|non ho annullato|"
            "non sono un robot|non serve|non servono|non ci serve|no grazie|niente early|niente late|"
            "non abbiamo la macchina|niente da cambiare|non cancelliamo|non abbiamo intenzione|va bene.|pazienza|"
            "lasci perdere|lasciate stare|lasciate perdere|non importa|non occorre|non vogliamo|"
            "non abbiamo bisogno|non ci servira|senza macchina|senza auto|ne abbiamo abbastanza|facciamo senza|"
            "preferiamo non|non e necessari|niente taxi|fa niente|come non detto|niente colazione|persona vera ah"
        ),
        "past": (
            "arrivati bene|e stato facile|era facile|l'anno scorso|era ottima|era eccellente|e stata fantastica|"
            "e stato gentil|e arrivata|ci hanno cambiato|abbiamo parcheggiato|gia confermato|gia spiegato|"
            "gia mandato|gia pagato|gia cenato|abbiamo cenato|goduti|ci ha preso|e andato|l'altra volta|"
            "l'ultima volta|al primo colpo|gia fatto|abbiamo gia|ho gia|anni fa|e stato perfetto|e stato bello|"
            "e stata perfetta|e stato ottimo|era perfetto|era buonissim|era perfetta|erano ottim|era ottim|"
            "era delizios|ha funzionato|siamo arrivati|abbiamo mangiato|abbiamo lasciato la macchina|"
            "abbiamo lasciato le chiavi|preso nota|ricevuto grazie|dell'aeroporto era|in un altro hotel|"
            "per l'anno prossimo|come da|ci siamo fermati|la migliore|un tesoro|passo alla|come detto|vi richiamo|"
            "gia versat|gia prenotat"
        ),
        "vehicle": ("l'auto|la macchina|il camper"),
        "thanks": (
            "grazie per|grazie mille per|ci ha salvati|complimenti|grazie mille|grazie di|grazie a|grazie ancora|"
            "mille grazie|ringrazi|bravissim|grazie del|grazie della|grazie che"
        ),
        "settled": (
            "nuova tessera|nuova chiave|ora apre|ha funzionato|adesso va|ora va|ora funziona|va benissimo|tutto ok|"
            "a posto|nessuna lamentela|tutto perfetto|ritrovato|non si preoccupi|tranquilli|wifi ok|e arrivato|"
            "trovate le|richiamato|niente di grave|parcheggio trovato|sotto il letto|e facile|stato facile|"
            "puntuale|funziona di nuovo|e tornat|riparat|risolto|sistemat|tutto bene|tutto a posto|nessun problema|"
            "ritrovat|l'ho trovat|era in valigia|era nella mia|era nel mio|e perfetta|e pulitissima|"
            "funziona benissimo|funziona perfett|non manca niente|non manca nulla|ha smesso|e finito|capito|"
            "d'accordo|perfetto|al primo colpo"
        ),
    },
)
