"""French."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "peut|peux|pouvez|pourr|possible|svp|s'il vous|s'il te|stp|besoin|voudrai|aimerai|veux|voulons|souhait|"
            "y a t il|y aurait|il y a|est ce|avez vous|vous avez|auriez|avez.|comment|ou.|quel|quelle|quand|"
            "combien|a quelle heure|faudrait|il faut|il manque|faire|serait|merci de|un moyen|qui.|jusqu'a"
        ),
        "broken": (
            "ne marche|marche pas|fonctionne pas|ne fonctionne|panne|cass|bouche|fuite|fuit.|goutte|grill|bloque|"
            "coince|ne s'ouvre|ne ferme|ne s'allume|ne chauffe|chauffe pas|ne s'eteint|bruit|froid|plus de|pas de|"
            "plus d'|pas d'|sent le|clignote|saute|hs.|deborde|casse|coule|lache|s'arrete|tiede|refuse"
        ),
        "time": ("a 0|vers 0|00h|0h|0 h|heures|minuit|midi|du matin|du soir|soiree|minutes|min.|apres midi|tard"),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|arrivee anticipee|check in anticipe|check in plus tot|check in avant & !liberer",
            "la chambre|les cles|entrer|monter|check in & plus tot|avant midi|avant 00h|avant l'heure|des le matin|"
            "au plus tot|directement dans & !liberer",
            "chambre|entrer|check in|cles|cle.|s'installer|arriver & plus tot|avant l'heure|avant 0|avant midi|"
            "le matin|des 0|des le|en avance|tot.|au plus tot|a 00h|pour 0h & @ask & !petit|partir|check out|"
            "menage|depart|taxi|payer",
            "chambre & prete|disponible|deja libre & est elle|est ce|deja|quand|est prete & !merci",
            "arrivee anticipee|arrivee en avance|arriver plus tot|arriver avant",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|depart tardif|check out tardif|checkout tardif|check out plus tard|checkout plus tard|"
            "partir plus tard|depart plus tard|decaler le depart & !payer|regler|atterri",
            "garder|rester|liberer|rendre & la chambre|les cles & jusqu'a|jusque|plus longtemps|apres 00h|a 00h|"
            "vers & !payer|regler|atterri",
            "partir|depart & au lieu de 00h|a 00h & possible|peut|vendredi & !payer|regler|atterri",
            "rester jusqu'a 00h & !payer|regler|atterri",
            "garder|rester|occuper|conserver|liberer|rendre|quitter & chambre|la cle|dans la & jusqu'a|jusque|"
            "plus tard|plus longtemps|un peu|apres|quelques heures|0h|vers & !avant|arriv|oubli|laisse",
            "partir|depart|check out|checkout|sortir|s'en aller & plus tard|tardif|au lieu|decaler|repousser|"
            "retard|apres|a 0|a midi|une heure de plus & @ask & !taxi|vol|train a",
            "late check|depart tardif|heures de plus & @ask",
        ),
        IntentType.BOOKING_CHANGE: (
            "changer|modifier|decaler|reporter|raccourcir|prolonger|rallonger & reservation|les dates|sejour|"
            "le nom|jusqu'a|jeudi|possible|pouvez & !couette|oreiller|couverture|chercher|comme dit|serviette",
            "ajouter|rester|encore & une nuit|nuits & !couette|oreiller|couverture|chercher|comme dit|serviette",
            "chambre|double|echanger|surclass & lits jumeaux|plus grande|lits simples|vue mer|changer & !couette|"
            "oreiller|couverture|chercher|comme dit|serviette",
            "trompe & date|dates|nom & !couette|oreiller|couverture|chercher|comme dit|serviette",
            "erreur dans le nom & !couette|oreiller|couverture|chercher|comme dit|serviette",
            "un jour plus tot & !couette|oreiller|couverture|chercher|comme dit|serviette",
            "changer|modifier|decaler|avancer|reporter|deplacer|corriger|repousser & reservation|resa|dates|date|"
            "sejour|nom|semaine|jours|nuit",
            "nuit|nuits & de plus|supplementaire|encore|ajouter|en moins|rajouter|prolonger|rester|trois|"
            "une autre & @ask|rester & !bruit|dormi",
            "serons|sommes|on sera & personnes|adultes|enfants|de plus|au lieu|cinq|quatre|trois|finalement|"
            "et non & !table|diner|restaurant|00h|minuit",
            "changer|passer|echanger|mettre|surclass|mettez|basculer & chambre|etage|suite|lits|lit double|vue mer|"
            "familiale|rez de & @ask|au lieu|plutot & !draps|serviettes|ampoule|menage",
            "nom & reservation|resa & erreur|corriger|changer|faute|mal",
            "partir|rentrer|arriver|venir & un jour|jour plus tot|jour plus tard|la veille|lendemain|jour de moins",
            "trompe|trompes|erreur & date|dates|reservation|jour|nom",
            "raccourcir|prolonger|rallonger|ecourter & sejour|nuit|jour",
        ),
        IntentType.CANCELLATION: (
            "annuler|annulez|annule.|annulation & reservation|chambre|sejour|gratuit|comment|dois|devons|svp|tout|"
            "resa|conditions|on ne|si j' & !mensag|messag|sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "annuler|annule|annulez|annulons|annulation|annulee & reservation|resa|chambre|sejour|frais|gratuit|"
            "penalite|rembours|comment|dois|devons|obliges|veux|voudr|souhait|politique|conditions|possible|peut|"
            "svp|nuit|merci & !vol|n'annul|diner|table|pas annul|taxi|abonnement|ne compte",
            "plus venir|pas venir|ne viendr|ne viens plus|ne venons plus|empeche & reservation|chambre|rembours|"
            "finalement|annul|sejour|pourrons",
            "laisser tomber|renoncer|on renonce & reservation|sejour|chambre|voyage",
        ),
        IntentType.ARRIVAL_TIME: (
            "on arrive|nous arriv|j'arrive|on sera|nous serons|arrivee prevue|atterri & 00h|0h|vers|minuit|retard|"
            "tard|plutot|heures & !avoir la chambre",
            "en route|en retard|vol est retarde|bouchons & !avoir la chambre",
            "reception & ouverte|arrive|quelqu'un a la & !avoir la chambre",
            "arriv|serons|serai|on sera|atterri|debarqu|on y sera|pense etre|la vers & @time & !chambre|taxi|"
            "chercher|garder|table|petit|depart|menage|merci|bien arriv|comment",
            "retard|en retard|bouchon|embouteillage & vol|train|avion|on|nous|je|h.|heure & !check out|payer|hier|"
            "repondre|desole pour",
            "en route|en chemin|a 00 min|dans une heure|dans 00 min|on vient d'atterrir|viens d'atterrir & !manger|"
            "bien",
            "reception|quelqu'un|accueil & ouvert|la nuit|24|present|minuit|tard|la.|00h & arriv|tard|minuit|"
            "ouverte|24|nuit|atterr",
        ),
        IntentType.DIRECTIONS: (
            "comment venir|comment aller|comment on accede|comment se rendre|comment rejoindre",
            "l'adresse|numero de rue|on ne trouve pas|vous etes ou",
            "taxi|navette|transfert|bus.|nous chercher & il y a|y a t il|pouvez|besoin|reserver|commandez|quel|"
            "faites|aeroport",
            "a quelle distance",
            "adresse|code postal|gps|quelle sortie|quel arret|quelle ligne|arret le plus|metro le plus|"
            "gare la plus|station la plus & !mail|email|reseau|facture",
            "comment & venir|aller|arriver|rejoindre|rendre|trouver & hotel|aeroport|gare|centre|plage|chez vous|"
            "la bas|depuis|port|ville",
            "taxi|bus|metro|train|navette|transfert|tram|vtc|uber|rer & aeroport|gare|reserver|commander|appeler|"
            "depuis|pour aller|quel|centre|venir|jusqu & @ask & !merci|oublie|perdu|laisse",
            "venir nous chercher|nous chercher|me chercher|nous recuperer|venir chercher|nous prendre & @ask|"
            "aeroport|gare|port",
            "on est perdus|sommes perdus|suis perdu|on est perdu|trouve pas l'hotel|trouvons pas|c'est loin|"
            "a pied & combien|trouve|hotel|comment|loin|rue|on|gps|de la",
        ),
        IntentType.PARKING: (
            "parking|stationnement|se garer|se gare|garage|place de parking & !vue mer",
            "ou & laisser|mettre & voiture|camping car|moto & !vue mer",
            "borne & electrique|voiture & !vue mer",
            "parking|garer|gare.|stationn|garage|place de|box & @ask|tarif|coute|prix|reserver|ferme|surveille|"
            "securise|gratuit|combien|permis & !vue mer|merci|on est gares|gare sncf|de la gare|la gare|a la gare|"
            "entendu",
            "laisser|mettre|poser|place pour & voiture|moto.|motos|camionnette|fourgon|camping car|velos|caravane|"
            "remorque & @ask & !cles",
            "borne|recharger|charger|prise|recharge & voiture|electrique|tesla|vehicule|hybride",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet|reseau & code|mot de passe|mdp|ne marche pas|lent.|connect|pas d'|impossible",
            "code & porte|acces|digicode|portail",
            "mot de passe|digicode|carte n'ouvre|enfermes dehors|a me connecter",
            "wifi|wi fi|internet|reseau|connexion|connecter & code|mot de passe|mdp|marche pas|lent|coupe|comment|"
            "quel|pas.|saute|impossible|capte|acces|rame|ordi & !aeroport|super|marche tres|merci pour|nickel",
            "code|digicode & porte|portail|entree|immeuble|entrer|acces|boite a cle & !postal|marche du premier|merci",
            "carte|badge|cle.|pass. & ne marche|marche plus|marche pas|n'ouvre|deuxieme|autre|seconde|double|"
            "nouvelle|demagnet|fonctionne|ouvre pas & !bancaire|credit|payer|voiture|merci|bleue|paiement",
            "pas entrer|n'arrive pas a entrer|n'arrivons pas a entrer|bloques dehors|enferme dehors|coinces dehors|"
            "peut pas rentrer|a la porte",
        ),
        IntentType.HOUSEKEEPING: (
            "serviettes & pourrait|pouvez|propres|svp|pour la|besoin|juste|amenez|faudrait|"
            "en plus & !serviettes de plage|plus propres|a ete fait|moelleu",
            "papier toilette|pq.|les draps|poubelle & !serviettes de plage|plus propres|a ete fait|moelleu",
            "menage|nettoyer|nettoyee|faire la chambre|le lit n'est pas fait & !serviettes de plage|plus propres|"
            "a ete fait|moelleu",
            "papier & toilettes & !serviettes de plage|plus propres|a ete fait|moelleu",
            "serviette|draps|linge|tapis de bain|taie|torchon & @ask|chang|propre|sale|plus.|pas de|manque|"
            "encore & !plage|piscine|en avons|pas besoin|bruit",
            "papier toilette|papier wc|pq.|shampoing|shampooing|savon|gel douche|capsules|mouchoirs|rouleau & @ask|"
            "plus.|manque|fini|vide|encore|reste",
            "menage|nettoy|aspirateur|faire la chambre|faire les lits|refaire|balay|ranger & chambre|lit|"
            "salle de bain|aujourd'hui|demain|sol|pas fait|personne|apres|passer|faire|ne pas|sable & !merci|ador|"
            "femme de|scandale|honte",
            "lit.|lits & fait|refait|pas faits",
            "poubelle|corbeille|dechets|ordures & vider|pleine|deborde|vide|sortir|descendre",
        ),
        IntentType.AMENITY_REQUEST: (
            "oreiller|couverture|couette|lit bebe|lit pour notre bebe|seche cheveux|fer a repasser|fer vapeur|fer.|"
            "bouilloire|adaptateur|parapluie|un chargeur|peignoir & pouvez|peut|possible|vous avez|avez|auriez|"
            "y a t il|faudrait|faut|plus|svp|preter|emprunter|chambre",
            "piscine|spa.|salle de sport|sauna & heure|ouvre|ouverte|reserver|quand|horaires",
            "oreiller|couverture|couette|plaid|lit bebe|lit parapluie|berceau|chaise haute|seche cheveux|"
            "fer a repasser|table a repasser|planche a repasser|bouilloire|adaptateur|parapluie|chargeur|peignoir|"
            "chaussons|ventilateur|bouillotte|tire bouchon|micro ondes|parasol|serviettes de plage|"
            "serviette de plage|serviettes de piscine|brosse a dents|dentifrice|rasoir|kit de couture|decapsuleur|"
            "verres a vin|fauteuil roulant|poussette|frigo|radiateur d'appoint|baignoire bebe|lit d'appoint|"
            "lit supplementaire|jeux de societe|tapis de yoga|velos|rallonge|multiprise|transformateur|"
            "cintres & @ask|pret|emprunt|louer|plus|supplement & !cass|marche|panne|oubli|laiss|perdu|voiture|"
            "merci pour|electrique",
            "piscine|salle de sport|spa.|sauna|hammam|massage|jacuzzi|soin|laverie|machine a laver|tennis|velos|"
            "bain a remous & heure|ouvre|ouvert|ferme|horaire|reserver|combien|utiliser|y a t il|peut|louer|acces|"
            "voudr|aimer & !ador|bruit|super",
            "preter|emprunter|prete moi|pretez",
        ),
        IntentType.MAINTENANCE: (
            "clim|chauffage|douche|toilettes|chasse d'eau|tele.|ampoule|lampe|fenetre|coffre|lavabo|"
            "frigo & ne marche pas|panne|cassee|casse.|bouche|grille|fuite|ne s'allume|ne ferme|bloque|s'evacue|"
            "froide|demarre|souffle du chaud",
            "eau chaude & pas.|plus d'",
            "plus d'electricite|fuite|eau coule",
            "clim|chauffage|radiateur|douche|toilettes|wc|chasse|tele.|television|lumiere|lampe|ampoule|prise|"
            "frigo|coffre|lavabo|evier|robinet|chaudiere|fenetre|volet|store|porte|balcon|serrure|ascenseur|"
            "seche cheveux|eau|telecommande|thermostat|minibar|plafond|electricite|courant|baignoire|lit.|"
            "bouilloire & @broken & !code|carte|badge|remarche|repare|merci|serviette|wifi|papier|bouteille|"
            "petit dej|voiture|shamp",
            "eau chaude & pas|plus|sans & !bouillotte",
            "odeur|sent & gaz|brule|fumee|egout",
            "arrive pas|impossible|peut pas & ouvrir|fermer|eteindre|allumer|regler & fenetre|porte|chauffage|clim|"
            "lumiere|coffre|volet|tele & !code|carte",
            "fuite|inond|eau & plafond|sol|partout|mur",
        ),
        IntentType.COMPLAINT: (
            "inadmissible|inacceptable|decu.|decus|deception|lamentable|honte|reclamation|me plaindre|le pire|"
            "mecontent|desagreable|attendait mieux",
            "bruit|bruyant|crient & dormir|dormi|depuis|faites quelque|possible",
            "la chambre & sale|sent la|sent mauvais",
            "cafards|punaises|taches|pas du tout ce qu'on|plus propres",
            "scandal|honte|inacceptable|inadmissible|decu|decevant|lamentable|horrible|catastroph|nul.|nulle|"
            "desastre|furieu|plainte|mecontent|pas content|pas satisfait|mauvais avis|degout|arnaque|vol organise|"
            "dedommag|plus jamais|laisse a desirer|ras le bol|insupportable|intolerable|impoli|malpoli|desagreable|"
            "immonde|pas a la hauteur & !aeroport|pas decu|aucune plainte|meteo|trafic",
            "moisi|cafard|punaise|fourmis|insectes|sale.|crade|pue.|sent la|sent le tabac|tache|cheveux|"
            "poussiere & chambre|lit.|salle|mur|plafond|partout|draps|on & !gaz|serviette|brule",
            "bruit|fete|cris|crient|musique|travaux|voisins|tapage|vacarme & dormir|dormi|nuit|possible|"
            "insupportable|encore|faire quelque|taire|heures|depuis & !merci|plus de bruit|frigo|clim",
            "pas ce qu'on|rien a voir & reserv|paye|photos|attend",
            "paye & vue mer|pas content|et on a",
            "ignore|mal parle|mal recu|accueil & personnel|collegue|serveur|reception|nous a|deplorable",
        ),
        IntentType.DINING: (
            "petit dej|petit dejeuner & heure|inclus|peut|servez|jusqu'a|chambre & !garde la chambre|garder la chambre",
            "une table & reserver|ce soir|pour|terrasse & !garde la chambre|garder la chambre",
            "sans gluten|vegetal|vegan|vegetarien|allergique|la carte du|room service|menu & !garde la chambre|"
            "garder la chambre",
            "restaurant|cuisine & ouvert|plats & !garde la chambre|garder la chambre",
            "diner|manger & ou.|possible|en chambre|dans le coin & !garde la chambre|garder la chambre",
            "petit dej|petit dejeuner|diner|dejeuner|manger|brunch|buffet|repas & heure|quand|inclus|jusqu|servez|"
            "coute|combien|prix|peut|ou.|y a t il|emporter|chambre|tot|encore|reserver|enfants & !delicieux|"
            "excellent|avons dine|froid|pas besoin|deja|on a mange",
            "table & reserv|pour 0|pour deux|pour quatre|ce soir|samedi|restaurant|terrasse|libre|"
            "personnes & !repasser",
            "restaurant|bar.|cuisine|cafe. & ouvert|ouvre|ferme|heure|recommand|conseill|reserv|jusqu|carte|encore|"
            "pres & !bruit|addition|factur",
            "allerg|coeliaque|vegan|vegetal|vegetarien|vegetarienne|sans gluten|sans lactose|halal|casher|"
            "intoleran & carte|menu|cuisine|option|avez|plat|peut|prevenir|dites|proposez|quelque chose",
            "commander|monter|apporter|envoyer|livrer & sandwich|biere|vin.|cafe.|pizza|burger|bouteille|repas|"
            "glacons|champagne|a manger|croque",
            "ou & diner|manger|bien manger|restaurant|boire un verre",
            "room service|service en chambre|menu enfant|plat du jour|la carte & @ask|avez|voir",
        ),
        IntentType.PAYMENT: (
            "facture.|recu & envoy|veut|faut|nom|pouvez|besoin",
            "debite|facture & deux fois|carte|minibar|reconnais|m'avez",
            "payer & especes|carte|reste|peut",
            "caution|rembours & quand|rendue",
            "erreur sur la note|vous prenez|vous acceptez|taxe de sejour",
            "facture|recu.|la note|l'addition|justificatif & @ask|nom|societe|envoy|erreur|mail|copie|entreprise|"
            "mettre|regler|fausse|separer & !merci|bien recu|deja",
            "debit|preleve|prelev|facture|compte|surfactur & deux fois|carte|trois nuits|n'ai pas|pas autoris|"
            "erreur|pourquoi|minibar|reconnais|de trop|inconnu|double|au lieu|deux nuits & !merci",
            "payer|regler|paiement|reglement & @ask|especes|carte|maintenant|virement|lien|avance|cheque|"
            "plusieurs fois & !parking|stationn|deja paye",
            "caution|depot|remboursement|acompte|pre autorisation & quand|comment|rendu|pas encore|toujours pas|"
            "pourquoi|est elle|recuper|@ask & !annul|merci|bien recu",
            "prenez|acceptez|accepte & carte|especes|amex|american|visa|apple pay|cheque|dollars|sans contact|"
            "ticket resto",
            "combien & doit|devons|dois|reste a payer|total",
            "taxe de sejour|reste a payer|total du sejour|montant total",
        ),
        IntentType.LOST_ITEM: (
            "j'ai laisse|oublie|perdu|ne trouve plus|du laisser|reste dans|n'est pas dans & veste|chargeur|"
            "lunettes|portefeuille|passeport|telephone|doudou|boucle|appareil photo|bague|echarpe|manteau|cles.|"
            "sac.",
            "quelqu'un & a trouve|a rapporte",
            "a ete rapportee",
            "laisse|oublie|perdu|trouve plus|trouvons plus|manque|tombe|egare|du laisser|du oublier|reste & veste|"
            "chargeur|lunettes|portefeuille|passeport|telephone|portable|doudou|boucle|appareil photo|bague|"
            "echarpe|manteau|cles de|mes cles|sac.|sac a|montre|chaussure|gilet|pull|casquette|bracelet|collier|"
            "livre|tablette|ipad|liseuse|kindle|medicament|robe|chemise|ecouteurs|airpods|maillot|pyjama|"
            "porte monnaie|cadeaux|peluche|trousse|chapeau|valise & !preter|avez vous un|retrouve|a la maison|"
            "laisser la|peut on laisser|ou laisser|voiture",
            "trouve|rapporte|retrouve|vu. & quelqu'un|avez vous|auriez|on vous & !merci|place|parking",
            "objets trouves|objet perdu|objets perdus",
        ),
        IntentType.OPT_OUT: (
            "me desinscrire|me desabonner|desabonnement|ne m'ecrivez|supprimez mon numero|ne me contactez|"
            "retirez moi de|stop aux & !trompe de",
            "arretez & m'envoyer|m'ecrire|messages & !trompe de",
            "ne veux plus recevoir & !trompe de",
            "arretez|cessez|stop|ne plus|plus de|marre de|arreter de|ne souhaite|ne veux & message|sms|textos|"
            "envoy|ecrire|pub.|publicite|promo|contacter|recevoir|mails|offres|newsletter & !n'arretez|fuite",
            "desinscri|desabonn|supprimez mon|effacez mon|retirez mon|retirez moi|enlevez mon|enlevez moi|"
            "de votre liste|liste de diffusion|laissez moi tranquille|rayez moi",
        ),
        IntentType.HUMAN: (
            "parler & personne|responsable|directeur|quelqu'un|qui.|reception|humain",
            "m'appeler|me rappelle|rappelez moi|m'appelle|faites moi appeler|passez moi",
            "un humain",
            "parler|discuter|echanger|joindre & personne|quelqu'un|responsable|directeur|directrice|reception|"
            "humain|vrai|gerant|patron|qui.|conseiller & !hier|agreable|parle avec",
            "vraie personne|etre humain|un humain|pas un robot|pas a un robot|pas une machine|un bot & !je ne suis|"
            "suis pas",
            "appeler|rappeler|rappelez|appelez|appelle|telephoner|appel & me.|m'|moi|nous|quelqu'un|rappel & svp|"
            "peut|pouvez|pourr|au 0|numero|besoin|urgent|possible|s'il & !taxi|je vous|vous appelle",
            "passez moi|me passer le|me passer la|mettez moi en",
        ),
    },
    guards={
        "negation": (
            "pas de serviettes|en a encore|avons encore|n'ai rien annule|n'a pas annule|pas besoin|"
            "n'aura pas besoin|n'aurons pas besoin|non merci|rien a changer|n'annule pas|ne compte pas annuler|"
            "pas d'arrivee|tant pis|n'avons pas de voiture|nous va.|pas de depart tardif|oubliez|oublie pour|"
            "laissez tomber|pas la peine|inutile|ne voulons pas|ne veut pas de|on se debrouille|plus besoin|"
            "sans voiture|pas en voiture|suffisamment|n'annule|pas annuler|ne change rien|on en a assez|"
            "on prefere pas|pas necessaire|ca ira|ne prendra pas|ne prendrons pas|trompe de numero"
        ),
        "past": (
            "bien arrives|etait facile|tres facile|deja paye|l'an dernier|femme de menage|dame du menage|"
            "l'annee derniere|etait delicieux|etait excellent|etait a l'heure|bien recu|on a change|nous a change|"
            "sommes gares|on est gares|deja confirme|deja explique|deja envoye|deja dine|on a dine|on a profite|"
            "est passe.|avait annule|a ete adorable|ont ete adorable|la derniere fois|l'autre fois|du premier coup|"
            "deja fait|on a deja|nous avons deja|j'ai deja|l'an passe|il y a des annees|c'etait top|c'etait super|"
            "c'etait parfait|c'etait genial|etait parfait|etait super|etait top|s'est gare|est garee|"
            "on a laisse la voiture|on a mange|avons dine|avons mange|on est arrives|sommes arrives|bien note|"
            "c'est note|a l'aeroport etait|dans un autre hotel|pour l'an prochain|adorable|comme indique|"
            "comme convenu|s'est arretes|etait delicieu|etaient delicieu"
        ),
        "vehicle": ("la voiture|le camping car"),
        "thanks": (
            "merci pour|merci beaucoup pour|merci de nous avoir|nous a sauves|bravo|merci d'avoir|merci de votre|"
            "merci a|mille mercis|un grand merci|felicitations|chapeau|remerci|super merci|merci c'est|merci encore"
        ),
        "settled": (
            "nouvelle carte|nouvelle cle|ouvre maintenant|finalement fonctionne|marche maintenant|remarche|"
            "marche tres bien|est reparee|c'est regle|tout va bien|rien a redire|en ordre|retrouve mes|"
            "ne vous inquietez|ne vous en faites|c'est bon pour|est arrive|m'a rappele|rien de grave|est parfait|"
            "sous le lit|refonctionne|repare|est revenu|est regle|resolu|tout est bon|tout est parfait|"
            "rien ne manque|retrouve|il etait dans|elle etait dans|etait dans ma|s'est arrete|ca marche maintenant|"
            "marche nickel|fonctionne parfaitement|fonctionne tres bien|marche bien|aucun probleme|aucune plainte|"
            "pas de souci|entendu|c'est bon|d'accord merci|du premier coup|a ete fait"
        ),
    },
)
