"""Spanish."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "puede|podria|podr|pued|posib|por favor|porfa|necesit|quisiera|querr|quiero|queremos|hay.|habria|habra|"
            "tienen|teneis|tiene.|tienes|como.|donde|cual|cuando|cuanto|a que hora|que hora|me gustaria|"
            "nos gustaria|seria|es posible|se puede|hace falta|me dais|nos dais|dejan|nos traen|traer|manden|"
            "envien|alguna|algun|algo.|falta|quien|interesa|desde que|hasta que"
        ),
        "broken": (
            "no funciona|no va.|no anda|no sale|no enciende|no se enciende|no cierra|no abre|no se abre|"
            "no se cierra|no enfria|no calienta|no prende|rot|averiad|estropead|atascad|gote|pierde|fuga|fundid|"
            "ruido|no hay|frio|fria|sin senal|sin.|huele|parpadea|se ha ido|salta|suelta|bloquead|malogra|"
            "descompuest|tapad|no deja|no para|no tira|se fue|inund"
        ),
        "time": (
            "a las 0|sobre las|hacia las|las 0|00h|0 de la|medianoche|de la noche|de la tarde|de la madrugada|"
            "media hora|horas|minutos|mediodia|00."
        ),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in temprano|check in antes|checkin antes|check in anticipado|"
            "entrada anticipada & !salir a",
            "entrar|la habitacion|el cuarto|las llaves|la llave|hacer la entrada|check in & antes de la hora|"
            "antes de las 00|antes de mediodia|mas temprano|antes de tiempo|entrar antes|tener la habitacion antes|"
            "subir ya|lista la habitacion|como muy pronto & !salir a",
            "habitacion|entrar|check in|llaves|llave|registrarnos & antes|temprano|por la manana|pronto|"
            "primera hora|de la manana|cuanto antes|a las 00|adelant & @ask & !desayun|salir|check out|limpi|deja|"
            "antes posible|taxi|despert",
            "esta|estara & habitacion & lista|ya.|disponible & !gracias",
            "entrada anticipada|entrada temprana|llegada anticipada|ingreso anticipado|ingresar antes|entrar antes|"
            "llegar antes & @ask|habitacion|y",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|salida tardia|salida tarde|check out tarde|check out mas tard|checkout tarde|"
            "salir mas tarde|retrasar la salida|retrasar la hora de salida|atrasar la salida & !pagar|aterriza|"
            "llega el avion|saldar",
            "quedarnos|quedarme|conservar|mantener|dejar|tener & la habitacion|el cuarto & hasta|pasadas|mas tarde|"
            "a la una|a las 0|un poco mas & !pagar|aterriza|llega el avion|saldar",
            "salir & en vez de a las|en lugar de a las & !pagar|aterriza|llega el avion|saldar",
            "salir a la 0|salir a la una & !pagar|aterriza|llega el avion|saldar",
            "quedar|mantener|dejar|usar|conservar|alargar|seguir & habitacion & hasta|mas tarde|mas tiempo|un rato|"
            "despues|unas horas|0 & !antes de|llega|limpi|olvid|dejado|equipaje",
            "salir|salida|check out|checkout|irnos|desalojar|marcharnos|dejar la habitacion & mas tarde|tarde.|"
            "retras|tardi|en lugar|en vez|posterior|extender|un poco|a las 0|a la una & @ask & !taxi|vuelo",
            "salida tardia|salida mas tarde|late check|horas mas & @ask & !gracias",
        ),
        IntentType.BOOKING_CHANGE: (
            "cambiar|modificar|mover|corregir|ampliar|amplian|actualizar|aplazar & reserva|las fechas|la fecha|"
            "estancia|estadia|reservacion & !edredon|almohada|manta|recoger|como dije|coche|toalla|ya no vamos",
            "anadir|agregar|sumar|una & noche mas|noches mas|otra noche & !edredon|almohada|manta|recoger|"
            "como dije|coche|toalla|ya no vamos",
            "cambiar|cambiarnos|pasar|upgrade & habitacion|dos camas|individuales|doble|vista & !edredon|almohada|"
            "manta|recoger|como dije|coche|toalla|ya no vamos",
            "un dia antes|acortar|mal la fecha|nombre & reserva|llegada|llegar|estancia|quedarnos & !edredon|"
            "almohada|manta|recoger|como dije|coche|toalla|ya no vamos",
            "habitacion mas grande|vista al mar & !edredon|almohada|manta|recoger|como dije|coche|toalla|ya no vamos",
            "cambiar|modificar|mover|adelantar|retrasar|aplazar|posponer|pasar|corregir|cambien & reserva|fecha|"
            "estancia|estadia|nombre|dias|semana|viaje|llegada|noches",
            "noche|noches & mas.|otra|adicional|extra|menos|anadir|agregar|quedarnos|ampliar|tres & @ask|quedar|"
            "seremos & !hace",
            "seremos|somos|vamos a ser|vendra|venimos & personas|mas.|no 0|en vez|en lugar|ninos|cinco|cuatro|tres|"
            "uno mas & !mesa|desayun|cena|como indica",
            "cambiar|pasar|ponernos|pongan|mejorar|pueden & habitacion|planta|suite|doble|individual|"
            "cama de matrimonio|camas separadas|vista al mar|familiar & @ask|en vez|en lugar|por una & !toalla|"
            "sabana|bombilla|limpi|almohada",
            "nombre & reserva & mal|correg|cambi|esta a|equivoc",
            "irnos|salir|llegar|volver & un dia antes|un dia mas tarde|dia despues|dia menos|un dia",
            "me equivoque|nos equivocamos|equivocad & fecha|dia|reserva|nombre|habitacion|noches",
            "ampliar|alargar|acortar|prolongar|extender & estancia|estadia|reserva|noche",
        ),
        IntentType.CANCELLATION: (
            "cancelar|cancelen|anular|anulen|cancelo|suspender & reserva|habitacion|viaje|estancia|por favor|todo|"
            "gratis|puedo|quiero|tengo que|necesito|hoy & !mensag|messag|sms|suscri|inscri|iscri|these messages|"
            "lista|newsletter",
            "cancelacion|no vamos a ir|no podemos ir|no podemos viajar & !mensag|messag|sms|suscri|inscri|iscri|"
            "these messages|lista|newsletter",
            "cancelar|anular|cancelo|cancelamos|anulo|anulamos|cancelen|anulen|cancelacion|anulacion|cancele|anule|"
            "anula & reserva|habitacion|estancia|viaje|penaliz|gratis|coste|costo|cobran|dinero|plazo|politica|"
            "quiero|quisier|tenemos que|tengo que|necesit|por favor|como|puedo|podemos|noche|debo|gastos & !vuelo|"
            "no vamos a cancelar|no cancel|no voy a|cena|mesa|taxi|suscrip|no queremos cancelar|no hemos|no he",
            "no podemos ir|no podremos ir|no vamos a poder|no puedo viajar|ya no vamos|al final no vamos|no iremos|"
            "no vamos a ir|no podre ir & reserva|habitacion|devol|dinero|final|cancel|anul|den.|libe",
            "suspender|damos de baja|dar de baja & reserva|viaje|estancia",
        ),
        IntentType.ARRIVAL_TIME: (
            "llegamos|llegaremos|llegare|llego|aterriz|hora de llegada|llegada prevista & a las|sobre las|a la 0|"
            "00|despues de medianoche|tarde|como a|en 00 min|0. & !tener la habitacion",
            "vamos con retraso|vuelo se ha retrasado|estamos en camino|llegamos tarde & !tener la habitacion",
            "recepcion & llegamos|abierta|aterrizo & !tener la habitacion",
            "llegamos|llegar|llego|llegaremos|llegare|estaremos|estare|aterriz|estimamos|esperamos llegar|"
            "hora de llegada|entraremos & @time & !antes|temprano|habitacion & !mesa|desayun|limpi|taxi|recog|"
            "como llegar|se tarda|ya llegamos",
            "retraso|retrasad|tarde & vuelo|tren|trafico|vamos|llegamos|llegaremos|llevamos|atasco|autobus|"
            "avion & !salir|check out|anoche|factura|respond|contest",
            "en camino|de camino|a 00 min|a media hora|a una hora|acabamos de aterrizar|acabo de aterrizar|"
            "estamos cerca|atasco & !comer|restaurante|bien",
            "recepcion|alguien & abiert|24 horas|noche|medianoche|hay|estara & llegamos|llegar|llego|tarde|24|"
            "madrugada|a esa hora",
        ),
        IntentType.DIRECTIONS: (
            "como llego|como se llega|como llegar|como se va|como podemos llegar|podemos llegar al hotel",
            "la direccion|que numero de la calle|no encuentro la entrada|no encontramos|donde estan.",
            "taxi|traslado|autobus|recoger en el aeropuerto|bus.|metro & hay|necesito|pueden|piden|pedir|tienen|"
            "que|al.",
            "a que distancia|esta lejos|nos pueden recoger",
            "direccion|codigo postal|que salida|que parada|que linea|parada mas cercana|metro mas cercan|"
            "estacion mas cercan|ubicacion & @ask|exacta|hotel|gps|navegador|mandar|enviar|cual|tomar|bajar|"
            "mas cercan",
            "como & llegar|llegamos|llego|ir.|vamos|se va|se llega & hotel|aeropuerto|estacion|centro|playa|desde|"
            "ahi|alli|puerto|ustedes",
            "taxi|bus.|autobus|metro|tren|traslado|transfer|lanzadera|shuttle|tranvia|uber|cercanias & aeropuerto|"
            "estacion|pedir|reservar|llamar|ir.|llegar|desde|para las|centro|hotel|cuesta & @ask & !gracias|olvid|"
            "perdid|deje",
            "recoger|recogernos|recogida|buscarnos|venir a por & aeropuerto|estacion|puerto|pueden|podria & !llave|"
            "maleta|equipaje|basura|bandeja",
            "estamos perdidos|nos hemos perdido|me he perdido|no encontramos el hotel|no encuentro el hotel|"
            "a que distancia|cuanto se tarda|esta lejos|queda lejos|andando",
        ),
        IntentType.PARKING: (
            "parking|aparcamiento|aparcar|aparcamos|estacionamiento|estacionar|plaza de garaje|"
            "garaje & !vista al mar|vistas al mar|vista mar",
            "dejar|dejo|dejarla & el coche|el carro|furgoneta|autocaravana|la moto & !vista al mar|vistas al mar|"
            "vista mar",
            "cargador & coche|electrico & !vista al mar|vistas al mar|vista mar",
            "parking|aparcamiento|aparcar|aparco|estacionar|estacionamiento|garaje|cochera|plaza de garaje|"
            "plaza de aparcamiento|parqueadero|parquear & @ask|cuesta|precio|reservar|plaza|vigilad|cubierto|"
            "gratis|libre & !gracias|hemos aparcado|vista|perfecto|entendido",
            "dejar|guardar|meter|sitio para & coche|moto.|motos|furgoneta|caravana|autocaravana|bicicletas|bicis|"
            "carro|auto. & @ask & !llaves",
            "cargar|cargador|enchufe|punto de carga|recarga & coche|electric|tesla|vehiculo|hibrido",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & clave|contrasena|codigo|conectar|lento|no funciona|no hay|no va|password",
            "codigo & puerta|acceso|portal|entrada",
            "contrasena|clave wifi|la llave no va|tarjeta no abre|me he quedado fuera",
            "wifi|wi fi|internet|red.|conex|conect & clave|contrasena|codigo|no va|no funciona|lento|lenta|corta|"
            "cae|como|cual|hay|conectar|no me|no puedo|no podemos|senal|no hay|portatil|ordenador & !aeropuerto|"
            "genial|perfecto|gracias por|ya va|de maravilla",
            "codigo|clave|pin & puerta|portal|entrada|entrar|acceso|edificio|verja|caja de llaves|"
            "cajetin & !postal|a la primera|funciono|gracias",
            "tarjeta|llave & no abre|no funciona|no va|otra|segunda|nueva|copia|dejo de|ha dejado|desmagnet|"
            "adicional & !credito|pagar|cobr|pago|debito|coche|gracias|visa",
            "no podemos entrar|no puedo entrar|no logramos entrar|encerrados fuera|fuera del edificio|"
            "nos hemos quedado fuera",
        ),
        IntentType.HOUSEKEEPING: (
            "toallas & pueden|podrian|traer|traen|necesit|mas.|limpias|favor|porfa|para la|dejen|suban|nos.|"
            "dejan & !toallas de playa|mas limpios|esponjos",
            "papel higienico|papel del bano|papel en el bano|sabanas|papelera & !toallas de playa|mas limpios|esponjos",
            "limpiar|limpien|limpiado|limpieza|hecho & la habitacion|la 000|hace falta|hoy & !toallas de playa|"
            "mas limpios|esponjos",
            "la cama esta sin|sin hacer|saquen la basura & !toallas de playa|mas limpios|esponjos",
            "toalla|toallas|sabanas|ropa de cama|alfombrilla|funda & @ask|cambi|limpi|sucia|mas.|no hay|sin.|"
            "faltan & !playa|piscina|todavia tenemos|no hace falta",
            "papel higienico|papel de bano|champu|jabon|gel.|capsulas|panuelos|rollo & @ask|mas.|no hay|no queda|"
            "acabado|termin|sin.|quedado|reponer",
            "limpiar|limpien|limpieza|limpie|aspirar|hacer la habitacion|arreglar|hagan|hicieron|hecho|ordenar|"
            "barrer & habitacion|cuarto|cama|bano|suelo|hoy|manana|arena|nadie|despues|00 & !gracias|encant|fatal|"
            "inacept|nada limpi|senora de|chica de",
            "cama.|camas & hecha|hicieron|hacer|sin hacer|hecho",
            "basura|papelera|cubo & vaciar|vacien|llena|desborda|recoger|sacar|tirar|rebosa",
        ),
        IntentType.AMENITY_REQUEST: (
            "almohada|manta|edredon|cuna|plancha|secador|hervidor|adaptador|paraguas|albornoz|"
            "cargador de movil & podemos|pueden|tienen|tendran|necesit|hay|prestan|posible|favor|estaria bien|otra|"
            "podrian",
            "piscina|gimnasio|spa.|sauna & hora|abre|abierto|reservar|cuando|horario",
            "almohada|manta|cobija|edredon|cuna|trona|secador|plancha|tabla de planchar|hervidor|adaptador|"
            "paraguas|cargador|albornoz|zapatillas|ventilador|bolsa de agua|sacacorchos|microondas|sombrilla|"
            "toallas de playa|toallas de piscina|cepillo de dientes|pasta de dientes|maquinilla|costurero|abridor|"
            "copas de vino|silla de ruedas|carrito|nevera|calefactor|banera para bebe|supletoria|cama extra|"
            "juegos de mesa|esterilla|bicicletas|bicis|alargador|transformador & @ask|prest|alquil|mas.|"
            "extra & !rot|no funciona|olvid|deje|dejado|coche|gracias|electricos|perdid|estropead",
            "piscina|gimnasio|spa.|sauna|bano turco|masaje|jacuzzi|tratamiento|lavanderia|lavadora|tenis|"
            "bicicletas & hora|abre|abiert|cierra|horario|reservar|cuanto|usar|hay.|puede|podria|alquilar|gustaria|"
            "desde & !encanto|ruido|genial",
            "prestar|prestado|prestan|prestais|dejarme un|dejarnos un",
        ),
        IntentType.MAINTENANCE: (
            "aire acondicionado|calefaccion|ducha|vater|inodoro|cisterna|tele.|televisor|bombilla|lampara|luz.|"
            "ventana|caja fuerte|lavabo|nevera & no funciona|no va.|rota|roto|atascad|fundid|fuga|no enciende|"
            "no prende|no cierra|no se abre|no desagua|se fue|aire caliente|fria",
            "agua caliente & no.|sin.",
            "fuga|cae agua|gotea",
            "aire|aire acondicionado|calefaccion|radiador|ducha|inodoro|vater|retrete|bano|cisterna|tele.|"
            "television|luz|luces|lampara|bombilla|enchufe|nevera|caja fuerte|lavabo|desague|grifo|caldera|ventana|"
            "persiana|puerta|balcon|cerradura|ascensor|secador|agua|mando|termostato|minibar|terraza|techo|"
            "electricidad|corriente|cama & @broken & !codigo|tarjeta|llave|ya funciona|arregl|gracias|toalla|wifi|"
            "papel|bolsa de|champu|desayuno|coche",
            "agua caliente & no.|sin.|tampoco & !bolsa",
            "huele|olor & gas|quemado|humo",
            "no podemos|no puedo|no se puede & abrir|cerrar|apagar|encender & ventana|puerta|calefaccion|aire|luz|"
            "caja|ducha|tele & !codigo|tarjeta",
            "gotera|fuga de|se sale el agua|cae agua|charco & !gas natural",
        ),
        IntentType.COMPLAINT: (
            "inaceptable|decepcion|verguenza|pesimo|queja.|reclamacion|el peor|grosero|molesto|asco|horrible servicio",
            "ruido|gritando|gritan & dormir|dormido|desde|hagan algo|mucho",
            "la habitacion & sucia|huele",
            "bichos|cucarachas|chinches|manchas|no es lo que reservamos|mas limpios",
            "verguenza|inacept|decepcion|lamentable|horrible|pesimo|pesima|fatal|desastre|indignad|queja|"
            "hoja de reclam|reclamacion|mala resena|no estamos contentos|nada contentos|no estoy content|"
            "descontent|un asco|asqueros|tomadura de pelo|estafa|compensacion|nunca mas|deja mucho que desear|"
            "harto|hartos|vergonzoso|intolerable|maleducad|groser & !aeropuerto|vuelo|sin quejas|ninguna queja|"
            "no tengo|trafico",
            "moho|cucaracha|bichos|chinches|hormigas|suci|mugr|apesta|huele a|mancha|pelos & habitacion|bano|cama|"
            "pared|cuarto|techo|hay & !gas|toalla|quemado",
            "ruido|fiesta|gritos|gritando|musica|obras|vecinos|golpes & dormir|dormido|noche|no podemos|"
            "no hay quien|otra vez|insoportable|hagan|paren|pueden|callen|horas & !ya no|paso|gracias|nevera|aire",
            "no es lo que|nada que ver con & reserv|pagamos|fotos|esperab",
            "nos ignor|trato & personal|recepcion|camarero|fatal|pesimo|compan|companero",
        ),
        IntentType.DINING: (
            "desayuno|desayuna|desayunar & hora|incluido|cuando|pueden|sirven|domingos|"
            "hasta que & !seguimos en la habitacion|seguir en la habitacion|quedarnos en la habitacion",
            "mesa & reservar|esta noche|para|terraza & !seguimos en la habitacion|seguir en la habitacion|"
            "quedarnos en la habitacion",
            "sin gluten|vegano|vegetarian|alergic|menu.|la carta|servicio a la habitacion|"
            "comida a la habitacion & !seguimos en la habitacion|seguir en la habitacion|quedarnos en la habitacion",
            "restaurante|cocina & abre|abierta|abierto|hay & !seguimos en la habitacion|seguir en la habitacion|"
            "quedarnos en la habitacion",
            "cenar & donde|a las|se puede & !seguimos en la habitacion|seguir en la habitacion|"
            "quedarnos en la habitacion",
            "desayun|cena.|cenar|comida|almuerzo|comer|buffet|brunch & hora|cuando|incluid|hasta|sirven|cuesta|"
            "precio|podemos|puede|puedo|donde|hay.|llevar|habitacion|temprano|antes|todavia|reservar|"
            "ninos & !delicios|excelent|cenamos|fria|no necesit|no hace falta|muy buen|riquisim",
            "mesa & reserv|para 0|para dos|para cuatro|noche|sabado|restaurante|terraza|libre|personas",
            "restaurante|bar.|cocina|cafeteria & abiert|abre|cierra|hora|recom|reserv|hasta|carta|todavia|"
            "cerca & !ruido|cuenta|cobr",
            "alergi|alergic|celiac|vegan|vegetarian|sin gluten|sin lactosa|halal|kosher|intoleran & carta|menu|"
            "cocina|opcion|tienen|hay|avis|plato|pued|desayun|algo",
            "pedir|subir|traer|mandar|suban|traigan|manden & sandwich|cerveza|vino|cafe.|pizza|hamburguesa|botella|"
            "comida|cena|hielo|bocadillo|champan|algo de comer",
            "donde & cenar|comer|tapas|paella|marisco|restaurante|tomar algo|cocina",
            "servicio de habitaciones|menu infantil|menu del dia|la carta & @ask|tienen|ver",
        ),
        IntentType.PAYMENT: (
            "factura|recibo & envi|necesit|quiero|mand|nombre|pueden|nif",
            "cobrado|cobraron|cargo & dos veces|minibar|tarjeta|no reconozco|me.",
            "pagar & efectivo|tarjeta|queda|puedo|se puede",
            "fianza|deposito|el dinero & devuelv|cuando",
            "error en la cuenta|aceptan|american express|tasa turistica",
            "factura|recibo|la cuenta|comprobante|ticket & @ask|nombre|empresa|mand|envi|error|mal|equivoc|copia|"
            "hacer|correo|dividir|poner|pongan|datos & !gracias|recib|ya la|ya me",
            "cobrad|cobraron|cobro|cargo|cargado|cobrar|facturado|descontado|pago & dos veces|tarjeta|duplicado|"
            "tres noches|no he|no hemos|error|por que|minibar|reconozco|autoriz|de mas|desconoc|doble|"
            "no es nuestro|mal & !tarjeta no abre|parking|cargador",
            "pagar|abonar|pago & @ask|efectivo|tarjeta|ahora|transferencia|bizum|enlace|plazos|adelantado|"
            "al salir & !parking|aparc|pagado|perfecto|ya pague",
            "deposito|fianza|reembolso|devolucion|devuelv & cuando|como|se.|aun|todavia|no me|tarda|"
            "devuelv & !cancel|anul|gracias|ya nos",
            "aceptan|aceptais|cogen|admiten & tarjeta|efectivo|amex|american|visa|apple|dolares|paypal|bizum|"
            "contactless",
            "cuanto & debemos|debo|total|suma|queda por pagar|falta por pagar",
            "tasa turistica|impuesto turistico|total de la estancia",
        ),
        IntentType.LOST_ITEM: (
            "me deje|deje el|deje la|dejamos|olvid|perdido|perdi.|no encuentro|se me quedo|no esta mi & chaqueta|"
            "cargador|gafas|cartera|pasaporte|movil|abrigo|peluche|camara|anillo|bolso|llaves|pendiente|paraguas",
            "alguien & encontrado|entrego|encontro",
            "deje|dejado|dejamos|olvid|perd|no encuentr|extravi|se me cayo|se nos quedo|se me quedo|se quedo|falta|"
            "se me ha caido|habre dejado & chaqueta|cargador|gafas|cartera|pasaporte|telefono|movil|celular|"
            "peluche|pendiente|camara|anillo|bufanda|abrigo|llaves del|llaves de|bolso|bolsa.|bolsa con|reloj|"
            "zapato|jersey|sudadera|chaleco|gorra|pulsera|collar|libro|tablet|ipad|kindle|mochila|medicin|"
            "pastillas|vestido|camisa|auriculares|airpods|banador|pijama|monedero|rebeca|regalos|oso|"
            "muneca & !prest|tienen un|ya lo|encontre|en casa|dejar el|podemos dejar|donde dejar|coche",
            "encontrado|aparecido|visto|entregado|hallado & alguien|han|ha & !gracias|ya",
            "objetos perdidos",
        ),
        IntentType.OPT_OUT: (
            "darme de baja|baja.|no me manden|no me escriban|dejen de escribir|borren mi numero|no quiero recibir|"
            "no me vuelvan|paren & mensaj|baja|escrib|numero|publicidad|contactar & !planta baja|equivoque",
            "cancelar la suscripcion & !planta baja|equivoque",
            "dejen de|deje de|no me|no quiero|paren|parad|basta de|no nos|dejad de|no deseo|stop & mensaj|escrib|"
            "sms|publicidad|promocion|enviar|mandar|correos|recibir|contact|ofertas|molest & !contesta|respond|"
            "llega|ha llegado|funciona",
            "dar de baja|darme de baja|denme de baja|dadme de baja|de baja|borren mi numero|borrar mi numero|"
            "eliminen mi|quiten mi|quitenme|saquenme|borrenme|cancelar la suscripcion|desuscrib|desapunt|"
            "bajenme & !reserva|estancia",
        ),
        IntentType.HUMAN: (
            "hablar con & una persona|el encargado|alguien|recepcion|quien|el director|un humano|el gerente",
            "llamar|llame|llamen|llamarme & me.|por favor|alguien|director|persona",
            "paseme con|pongame con|un humano",
            "hablar|habla|comunicar|comunicarme|contactar & persona|alguien|encargad|director|gerente|recepcion|"
            "humano|responsable|de verdad|quien|agente|operador & !ayer|hable|gusto hablar",
            "persona real|persona de verdad|un humano|ser humano|no un robot|no una maquina|no con un bot|"
            "con un robot & !no soy|soy",
            "llamar|llamen|llame|llamada|llamais|telefonear|llamad & me.|llamarme|llameme|llamenme|devolv|alguien|"
            "por favor|pueden|podria|al 0|numero|urgente & !taxi|como se llama|os llamare|llamare",
            "paseme con|me pasa con|pongame con|me pone con|me pasan con",
        ),
    },
    guards={
        "negation": (
            "no hacen falta|toallas no|aun tenemos|todavia tenemos|no limpien|no he cancelado|no hemos cancelado|"
            "no cancelamos|no hace falta|no necesit|no vamos a|no gracias|no hay que|sin early check|sin salida|"
            "no tenemos coche|nos va bien|esta bien|ninguna almohada|entonces sin|pues sin|olvidese de|olvidate|"
            "olvidad|no hara falta|no queremos|ya no quer|ya no necesit|nos apanamos|no es necesario|"
            "no vamos en coche|sin coche|no traemos|tenemos suficiente|no vamos a cancelar|no cambi|mejor no|"
            "prescind|preferimos no|me equivoque de numero|la suscripcion a"
        ),
        "past": (
            "llegamos bien|fue facil|era facil|muy facil|ya pagamos|ya tenemos|el ano pasado|estaba buen|"
            "fue excelente|fue muy|ya me llego|ya me mand|ya pague|ya cenamos|nos cambiaron|hemos aparcado|"
            "aparcamos en|ya encontr|ya me confirmo|su companer|ya me explic|nos recogio|disfrutamos|cenamos|"
            "se hizo bien|la otra vez|la ultima vez|a la primera|como indica|ya hicimos|ya hemos|ya he.|ya pedimos|"
            "ya esta pagado|hace anos|estuvo genial|estuvo muy|fue genial|fue perfecto|fue estupendo|"
            "estaba delicios|estaba muy|estaba riqu|dejamos el coche|desayunamos|comimos|hemos llegado|"
            "hemos cenado|hemos dejado las llaves|dejamos las llaves|tomo nota|anotado|del otro hotel|"
            "en otro hotel|del aeropuerto era|para el ano que viene|hablamos con|encantador|un encanto|lo mejor|"
            "estaba lista|ya reserve|no llegamos a usar|como dije"
        ),
        "vehicle": ("el coche|el carro|la furgoneta"),
        "thanks": (
            "gracias por|muchas gracias por|nos salvo|felicidades|gracias a|mil gracias|agradec|enhorabuena|"
            "felicita|gracias otra|genial gracias|que amable"
        ),
        "settled": (
            "llave nueva|tarjeta nueva|ya abre|al final la tarjeta|funciono|ya funciona|ya va.|va genial|ya esta.|"
            "todo bien|ninguna queja|todo perfecto|no se preocupen|en orden|ya tengo|llego la|encontre las|"
            "encontre mis|ya me llamo|aparecio|nada grave|puntual|recibido|vuelve a|ha vuelto|arreglad|solucionad|"
            "resuelto|todo en orden|sin problema|sin quejas|ya aparec|lo encontre|ya lo|ya la|ya los|ya las|"
            "estaba en mi|ya hay|ya no hay|va de maravilla|funciona perfect|va perfecto|funciona bien|"
            "no falta nada|no se preocup|tranquil|entendido|de acuerdo|perfecto.|fue a la primera|a la primera|"
            "paso a la segunda"
        ),
    },
)
