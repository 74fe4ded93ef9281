"""Portuguese, of Brazil and of Portugal."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "pode|poderia|podia|podemos|posso|podiamos|possivel|por favor|pf.|precis|gostar|queria|quero|queremos|"
            "ha.|haveria|tem.|teria|teriam|tem como|como.|onde|qual|quais|quando|quanto|a que horas|que horas|"
            "da para|daria|seria|falta|mand|trag|traz|alguem|quem|ate que|consegu|arranj|havera|faz favor|sera que|"
            "e possivel|vocês tem|voces"
        ),
        "broken": (
            "nao funciona|nao esta a funcionar|nao liga|nao abre|nao fecha|nao desliga|nao aquece|nao arrefece|"
            "nao gela|nao esta funcionando|nao da.|quebrad|estragad|avariad|partid|entupid|pinga|pingando|vaza|"
            "fundid|queimad|barulho|fria|frio|nao ha|nao tem|sem.|cheira|pisca|presa|preso|emperrad|encravad|solto|"
            "solta|transborda|morna|nao para|sem sinal|inund|nao sai|foi abaixo|parou de|nao escoa"
        ),
        "time": (
            "as 0|pelas 0|por volta|meia noite|da noite|da tarde|da manha|da madrugada|meia hora|horas|minutos|00h|"
            "0h|meio dia|a uma"
        ),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in antecipado|check in antes|entrar mais cedo|entrada antecipada|"
            "check in mais cedo & !deixar o quarto",
            "o quarto|a chave & antes do meio dia|antes da hora|antes das 00|de manha|a partir de que horas|"
            "logo para|livre as & !deixar o quarto",
            "quarto|entrar|check in|chaves|chave|checkin & mais cedo|antes|de manha|da manha|logo cedo|cedo.|"
            "adiantar|antecip|as 00h & @ask & !pequeno almoco|cafe da manha|sair|check out|limp|saida|taxi|pagar",
            "quarto & pronto|disponivel|ja esta livre & esta|ja|quando & !obrigad",
            "chegada antecipada|entrada antecipada|chegar mais cedo & @ask",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|saida tardia|check out mais tarde|checkout mais tarde|sair mais tarde|"
            "adiar a saida & !pagar|aterra|pousa",
            "ficar|segurar|deixar|desocupar & o quarto|no quarto & ate|mais um pouco|depois das|em vez|"
            "a uma & !pagar|aterra|pousa",
            "sair as & em vez|pode ser|podemos & !pagar|aterra|pousa",
            "ficar ate as & !pagar|aterra|pousa",
            "ficar|manter|usar|segurar|deixar|desocupar|liberar & quarto|com o quarto & ate|mais tarde|mais tempo|"
            "um pouco|depois das|umas horas|algumas horas|as 0 & !antes|cheg|esquec|deixei|malas|mala",
            "sair|saida|check out|checkout|ir embora|partir & mais tarde|tarde.|tardi|atras|em vez|prolong|"
            "estender|depois|as 0|uma hora a mais|horas a mais & @ask & !taxi|voo|comboio",
            "saida tardia|late check|horas a mais|hora a mais & @ask",
        ),
        IntentType.BOOKING_CHANGE: (
            "mudar|alterar|trocar|passar|prolongar|encurtar|estender & reserva|as datas|estadia|nome|quinta|"
            "segunda & !edredom|edredao|almofada|travesseiro|cobertor|buscar|como disse|carro|ficar mais um pouco|"
            "toalha|vista mar",
            "acrescentar|mais & uma noite|noites & !edredom|edredao|almofada|travesseiro|cobertor|buscar|"
            "como disse|carro|ficar mais um pouco|toalha|vista mar",
            "quarto|casal|trocar & camas separadas|maior para|solteiros|upgrade & !edredom|edredao|almofada|"
            "travesseiro|cobertor|buscar|como disse|carro|ficar mais um pouco|toalha|vista mar",
            "errad & reserva|data de chegada & !edredom|edredao|almofada|travesseiro|cobertor|buscar|como disse|"
            "carro|ficar mais um pouco|toalha|vista mar",
            "um dia antes|vista mar|podem prolongar & !edredom|edredao|almofada|travesseiro|cobertor|buscar|"
            "como disse|carro|ficar mais um pouco|toalha|vista mar",
            "mudar|alterar|trocar|antecipar|adiar|passar|corrigir|remarcar|modificar|transferir & reserva|data|"
            "datas|estadia|estada|nome|dias|semana|viagem|chegada|noites",
            "noite|noites & mais|extra|adicional|a menos|acrescentar|adicionar|ficar|prolongar|outra|em vez & @ask|"
            "ficar",
            "seremos|somos|vamos ser|vem|vira & pessoas|mais um|mais uma|criancas|adultos|cinco|quatro|tres|em vez|"
            "nao 0 & !mesa|jantar|como",
            "mudar|trocar|passar|por.|colocar|ficar & quarto|andar|suite|casal|solteiro|camas separadas|vista mar|"
            "vista para o mar|familiar|familia & @ask|em vez & !toalha|lencois|lampada|limp|almofada|travesseiro",
            "nome & reserva & errad|corrig|mud|troc",
            "sair|voltar|chegar|ir embora & um dia antes|um dia mais|dia depois|um dia",
            "enganei|errei|enganamo|errad & data|dia|reserva|nome|mes",
            "prolongar|estender|encurtar|alargar & estadia|reserva|noite|estada",
        ),
        IntentType.CANCELLATION: (
            "cancelar|cancelem|anular|cancelamento|desmarcar & reserva|quarto|viagem|tudo|custo|gratis|como|"
            "preciso|temos|politica|hoje|estadia|podem|queremos|por favor|tenho & !mensag|messag|sms|suscri|inscri|"
            "iscri|these messages|lista|newsletter",
            "nao podemos ir|afinal nao vamos & !mensag|messag|sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "cancel|anular|anulo|desmarcar & reserva|quarto|estadia|viagem|multa|taxa|gratis|gratuit|reembols|"
            "dinheiro|como|preciso|precisamos|quero|quer|gostar|tenho|temos|politica|posso|possivel|por favor|"
            "noite|custo|prazo & !voo|nao vamos cancelar|nao cancel|nao quero cancelar|nao cancelei|jantar|mesa|"
            "taxi|lista|mensagens|sms|inscri",
            "nao vamos poder|nao podemos ir|nao poderei ir|ja nao vamos|nao vamos conseguir|nao vou poder|"
            "nao iremos|nao vamos mais & reserva|quarto|reembols|infelizmente|afinal|cancel|dinheiro",
            "desistir|desistimos|desisto & reserva|estadia|quarto|viagem",
        ),
        IntentType.ARRIVAL_TIME: (
            "chegamos|chegar|chegada|estaremos|aterra|pouso & as 0|por volta|00h|depois da meia noite|la pelas|"
            "prevista|nove|em 00 min & !ter o quarto",
            "o voo atrasou|estamos a caminho|presos no transito|vamos atrasar & !ter o quarto",
            "recepcao & aberta|chegarmos & !ter o quarto",
            "cheg|estaremos|estarei|aterr|pousa|desembarc|estamos ai|devemos estar & @time & !quarto|mais cedo|"
            "mesa|pequeno almoco|cafe da manha|taxi|buscar|como|limp|saida|chegamos bem|ja chegamos",
            "atras|atrasad|transito|engarraf & voo|comboio|trem|vamos|cheg|onibus|autocarro|horas|estamos|aviao|"
            "estou & !sair|check out|ontem|resposta|desculp",
            "a caminho|a 00 min|em 00 min|daqui a|acabamos de aterrar|acabamos de pousar|acabei de pousar|"
            "estamos quase & !comer|bem",
            "recepcao|alguem & abert|24|noite|aberta|estara|ha & cheg|tarde|24|meia noite|madrugada",
        ),
        IntentType.DIRECTIONS: (
            "como chego|como vou|como chegar|como podemos ir",
            "o endereco|numero da rua|nao encontramos a entrada|onde ficam",
            "taxi|transfer|onibus|autocarro|buscar no aeroporto & tem|podem|preciso|chamem|chamar|que.|fazem|ha.",
            "fica longe",
            "endereco|morada|codigo postal|cep|gps|qual saida|que saida|que paragem|qual parada|que linha|"
            "paragem mais|estacao mais|metro mais|ponto mais|localizacao & @ask|exat|hotel|mand|mais prox|"
            "para o & !email|fatura",
            "como & cheg|vou|vamos|ir.|se vai|faco & hotel|aeroporto|estacao|centro|praia|ai.|voces|porto|ate|desde",
            "taxi|onibus|autocarro|metro|comboio|trem|transfer|transporte|shuttle|uber|electrico|bonde|translado|"
            "traslado & aeroporto|estacao|pedir|chamar|reservar|marcar|para o|centro|ir.|custa|hotel|"
            "para as & @ask & !obrigad|esquec|perdi|deix",
            "buscar|recolher|apanhar|pegar & nos.|me.|nos|aeroporto|estacao|porto & @ask & !chave|mala|bagage|lixo",
            "estamos perdidos|estou perdid|perdemo nos|nos perdemos|nao encontramos o hotel|nao encontro o hotel|"
            "nao achamos|qual a distancia|quanto tempo|e longe|fica longe|a pe. & hotel|ate|do|da|a|quanto|estamos|"
            "google",
        ),
        IntentType.PARKING: (
            "estacion|garagem|vaga & !vista mar|vista para o mar",
            "onde|deixar|deixamos & o carro|autocaravana|moto. & !vista mar|vista para o mar",
            "carregador & carro|eletrico & !vista mar|vista para o mar",
            "estacion|parque de estac|garagem|vaga|lugar de estac|parking & @ask|custa|preco|reservar|coberto|"
            "vigiado|gratis|gratuito|quanto & !vista|obrigad|estacionamos|certo|entendido|ja",
            "deixar|guardar|por.|espaco para|lugar para & carro|mota|motas|moto|motos|furgao|van|carrinha|"
            "autocaravana|trailer|bicicletas|bicis & @ask & !chaves",
            "carregar|carregador|tomada|ponto de carga|carregamento & carro|eletric|tesla|hibrid|viatura",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & senha|password|codigo|nao funciona|lento|conect|entrar|sem",
            "codigo & porta|acesso|portao|nao da",
            "senha|cartao nao abre|ficamos na rua|nao consigo me conectar",
            "wifi|wi fi|internet|rede|conex|ligacao|conectar & senha|palavra passe|password|codigo|nao funciona|"
            "lent|cai|como|qual|nao consigo|sinal|nao ha|nao pega|caindo|acesso|portatil|computador|"
            "nao da & !aeroporto|otima|perfeit|obrigad|otimo",
            "codigo|senha|pin & porta|portao|entrada|entrar|predio|acesso|caixa de chaves|"
            "cofre de chaves & !postal|de primeira|a primeira|obrigad",
            "cartao|chave & nao abre|nao funciona|segunda|segundo|outra|outro|nova|novo|copia|deixou|parou|"
            "desmagnet|adicional & !credito|pagar|pagamento|carro|obrigad|debito|cobr",
            "nao conseguimos entrar|nao consigo entrar|trancados fora|trancado fora|do lado de fora|presos la fora|"
            "fiquei fora|ficamos fora",
        ),
        IntentType.HOUSEKEEPING: (
            "toalhas & podem|limpas|para o|por favor|precis|mais.|tragam|so as & !toalhas de praia|mais limpos|fofinh",
            "papel higienico|lencois|papel do banheiro|papel no banheiro|o lixo & !toalhas de praia|mais limpos|fofinh",
            "limpar|limpo|arrumaram & quarto|o 000|hoje & !toalhas de praia|mais limpos|fofinh",
            "cama esta por fazer|limpar o & !toalhas de praia|mais limpos|fofinh",
            "toalha|toalhas|lencois|lencol|roupa de cama|tapete de banho|fronha & @ask|troc|mud|limp|suj|mais.|"
            "nao ha|sem.|faltam & !praia|piscina|ainda temos",
            "papel higienico|shampoo|champo|xampu|sabonete|sabao|gel de banho|capsulas|lencos|rolo & @ask|mais|"
            "acab|nao ha|sem.|falta",
            "limp|arrumar|aspirar|fazer o quarto|arrumad|varrer|arrumacao|passar & quarto|cama|banheiro|"
            "casa de banho|hoje|amanha|ninguem|chao|depois|areia & !obrigad|simpat|senhora da|vergonh|pessim|"
            "horriv|impecavel",
            "cama.|camas & feita|fazer|fizeram|arrumar|por fazer",
            "lixo|cesto|balde|lixeira & esvaziar|esvaziem|cheio|cheia|levar|recolher|transbord",
        ),
        IntentType.AMENITY_REQUEST: (
            "travesseiro|almofada|manta|edredom|berco|ferro de passar|ferro a vapor|um ferro|secador|chaleira|"
            "adaptador|guarda chuva|carregador & podemos|podem|tem.|teriam|precis|possivel|emprestar|favor|quarto|"
            "seria bom|mais",
            "piscina|academia|spa.|sauna & horas|abre|marcar|quando|horario",
            "almofada|travesseiro|cobertor|manta|edredom|edredao|berco|cadeira alta|cadeirinha|cadeirao|secador|"
            "ferro de engomar|ferro de passar|ferro.|tabua|chaleira|adaptador|guarda chuva|chapeu de chuva|"
            "carregador|roupao|chinelos|pantufas|ventilador|ventoinha|saco de agua|bolsa de agua|saca rolhas|"
            "microondas|micro ondas|guarda sol|chapeu de sol|toalhas de praia|toalha de praia|toalhas de piscina|"
            "escova de dentes|pasta de dentes|gilete|kit de costura|abre garrafas|abridor|copos de vinho|tacas|"
            "cadeira de rodas|carrinho|frigobar|frigorifico|geladeira|aquecedor|banheira de bebe|cama extra|"
            "jogos de tabuleiro|tapete de ioga|bicicletas|extensao|cabides & @ask|emprest|alug|mais.|"
            "extra & !quebrad|nao funciona|esquec|deix|perdi|carro|obrigad|avariad|eletric|estragad",
            "piscina|academia|ginasio|spa.|sauna|banho turco|massagem|jacuzzi|tratamento|lavandaria|lavanderia|"
            "maquina de lavar|tenis|bicicletas & hora|abre|abert|fecha|horario|reservar|marcar|quanto|usar|ha.|"
            "pode|alugar|gostar|queria & !adorei|adoramos|barulho|otima",
            "emprestar|emprestado|emprestam|emprestada",
        ),
        IntentType.MAINTENANCE: (
            "ar condicionado|aquecimento|chuveiro|sanita|descarga|tv.|lampada|janela|cofre|lavatorio|luz.|controle|"
            "frigobar & nao funciona|quebrad|avariad|entupid|vazando|queimou|nao liga|nao fecha|travado|nao escoa|"
            "acabou|ar quente|frio|nao acende|morreu",
            "agua quente & nao|sem",
            "caindo agua|vazamento",
            "ar condicionado|ar.|aquecimento|aquecedor|radiador|chuveiro|duche|sanita|vaso|autoclismo|descarga|"
            "privada|tv.|televisao|televisor|luz|luzes|lampada|candeeiro|abajur|tomada|frigobar|frigorifico|"
            "geladeira|cofre|pia|lavatorio|ralo|torneira|caldeira|esquentador|janela|persiana|estore|porta|varanda|"
            "fechadura|elevador|secador|agua|comando|controle|termostato|teto|eletricidade|energia|banheira|"
            "cama & @broken & !codigo|cartao|chave|ja funciona|arranj|consert|obrigad|toalha|wifi|papel|garrafa|"
            "saco de|bolsa de|cafe da manha|carro|shampoo|champo",
            "agua quente & nao|sem|so.|acabou & !saco|bolsa|garrafa",
            "cheir & gas|queimado|fumo|fumaca|esgoto",
            "nao conseguimos|nao consigo|nao da para & abrir|fechar|desligar|ligar & janela|porta|aquec|ar.|luz|"
            "cofre|tv|chuveiro & !codigo|cartao",
            "fuga de agua|vazamento|infiltracao|a verter|caindo agua|cai agua",
        ),
        IntentType.COMPLAINT: (
            "inaceitavel|desiludid|decepcao|vergonha|pessimo|reclamacao|o pior|grosseiro|chateado|esperavamos mais",
            "barulho|gritam & dorm|desde|facam",
            "o quarto & sujo|cheira",
            "baratas|percevejos|manchas|nao foi isso que|mais limpos",
            "vergonh|inaceit|inadmiss|decepcion|desilud|dececion|pessim|horrivel|terrivel|desastre|reclam|queixa|"
            "insatisfeit|nao estamos content|nada content|nao estou content|descontent|nojo|nojent|roubo|burla|"
            "compensacao|indemni|nunca mais|deixa a desejar|farto|fartos|mal educad|malcriad|grosseir|ma avaliacao|"
            "avaliacao negativa|indignad|absurdo|palhacada|revoltad & !aeroporto|sem queixas|nenhuma queixa|"
            "nenhuma reclam|voo",
            "mofo|bolor|barata|percevejo|formigas|suj|fede|cheira a|cheiro a|mancha|cabelos|po. & quarto|cama|"
            "casa de banho|banheiro|parede|teto|lencois|ha.|por todo & !gas|toalha|queimado",
            "barulho|festa|gritos|gritando|musica|obras|vizinhos|barulhent & dormi|noite|insuport|outra vez|"
            "de novo|facam|possivel|horas|parem & !parou|obrigad|frigo|ar condicionado",
            "nao e o que|nao foi o que|nada a ver & reserv|pag|fotos|esper",
            "pagamos & vista mar|vista para o mar",
            "ignor|tratou|trat & funcionari|colega|empregad|recepcao|pessoal|staff|nos.",
        ),
        IntentType.DINING: (
            "cafe da manha|pequeno almoco|tomar cafe|o cafe & horas|incluido|podemos|servem|as 0|"
            "dominigos & !ficar no quarto|ate logo",
            "uma mesa & reservar|hoje a noite|para|varanda & !ficar no quarto|ate logo",
            "sem gluten|vegan|vegetarian|alergic|cardapio|comida no quarto & !ficar no quarto|ate logo",
            "restaurante|cozinha & abre|aberta|pratos & !ficar no quarto|ate logo",
            "se janta bem|jantar as & !ficar no quarto|ate logo",
            "pequeno almoco|cafe da manha|jantar|almoco|comer|brunch|buffet|refeicao & hora|quando|inclui|incluid|"
            "ate|servem|custa|quanto|podemos|posso|onde|ha.|para levar|no quarto|cedo|antes|ainda|reservar|"
            "criancas & !delicios|excelent|jantamos|frio|nao precis|ja.|comemos|maravilh",
            "mesa & reserv|para 0|para dois|para quatro|hoje|sabado|restaurante|esplanada|livre|pessoas|marcar",
            "restaurante|bar.|cozinha & abert|abre|fecha|hora|recomend|reserv|ate|ainda|perto|menu & !barulho|"
            "conta|cobr",
            "alerg|celiac|vegan|vegetarian|sem gluten|sem lactose|halal|kosher|intoleran & menu|cozinha|cardapio|"
            "opc|tem.|avis|prato|pode|pequeno almoco|cafe da manha|ha.|algo|cheff",
            "pedir|trazer|mandar|subir|encomendar|mandem & sandes|sanduiche|cerveja|vinho|cafe.|pizza|hamburguer|"
            "garrafa|jantar|gelo|tosta|comida|champanhe",
            "onde & jantar|comer|restaurante|peixe|petiscos|beber",
            "servico de quartos|servico de quarto|menu infantil|prato do dia|o menu|o cardapio|a ementa|"
            "a carta & @ask|tem|ver",
        ),
        IntentType.PAYMENT: (
            "fatura|nota fiscal|recibo & envi|mand|precis|nome|podem",
            "cobrad|cobraram|cobranca|debitaram & duas vezes|cartao|frigobar|reconheco|me.",
            "pagar & dinheiro|cartao|pix|falta|posso",
            "caucao|o dinheiro & quando|devolvem",
            "erro na conta|taxa turistica",
            "fatura|factura|recibo|a conta|nota fiscal|comprovativo|comprovante & @ask|nome|empresa|mand|envi|erro|"
            "errad|email|copia|nif|cnpj|dividir|fechar & !obrigad|recebi|chegou|ja",
            "cobrad|cobraram|cobranca|debit|faturado|debitaram|pagamento|cobrar & duas vezes|cartao|tres noites|"
            "nao fiz|nao autoriz|erro|porque|por que|minibar|frigobar|reconhe|a mais|duplicad|dobro|"
            "em vez & !estacion",
            "pagar|pagamento|liquidar & @ask|dinheiro|cartao|agora|transferencia|link|mbway|pix|adiantad|"
            "multibanco|parcel & !estacion|paguei|pagamos",
            "deposito|caucao|reembolso|devolucao|sinal|calcao & quando|como|ainda nao|porque|devolv|demora|"
            "@ask & !cancel|obrigad|wifi|rede",
            "aceitam|aceita & cartao|dinheiro|amex|american|visa|apple|dolares|mbway|pix|multibanco|contactless",
            "quanto & devemos|devo|total|falta pagar|ficou",
            "taxa turistica|taxa de turismo|total da estadia|link de pagamento",
        ),
        IntentType.LOST_ITEM: (
            "deixei|deixado|esquec|perdi.|nao acho|ficou na cama|nao esta na mala & casaco|carregador|oculos|"
            "carteira|passaporte|celular|ursinho|brinco|camera|anel|cachecol|chaves|telemovel",
            "alguem & encontrou|entregou",
            "entregaram um",
            "deixei|deixamos|esquec|perdi|perdemos|nao encontro|nao acho|nao encontramos|caiu|falta me|sumiu|"
            "ficou & casaco|carregador|oculos|carteira|passaporte|telefone|telemovel|celular|peluche|pelucia|"
            "brinco|camara|camera|anel|alianca|cachecol|chaves de|chaves do|mala de|mala com|bolsa|saco|relogio|"
            "sapato|camisola|bone|chapeu|pulseira|colar|livro|tablet|ipad|kindle|mochila|medicament|remedio|"
            "vestido|camisa|auscultador|fones|airpods|fato de banho|biquini|pijama|presentes|boneca|ursinho|"
            "necessaire|sueter & !emprest|tem um|encontrei|em casa|podemos deixar|onde deixar|deixar a|o carro",
            "encontrad|encontrou|achado|achou|visto|entregue|apareceu & alguem|encontraram|acharam|foi & !obrigad|"
            "lugar|vaga",
            "perdidos e achados|achados e perdidos|objetos perdidos",
        ),
        IntentType.OPT_OUT: (
            "parem de me mandar|sair da lista|nao me escrevam|apaguem o meu numero|receber propaganda|descadastrar|"
            "nao me contatem|nao me mandem|chega de mensagens|tirem da lista|cancelar a inscricao",
            "parem|pare.|deixem de|nao quero|nao me|chega de|nao desejo|nao enviem|nao mandem|stop|"
            "parar de & mensag|sms|enviar|mandar|escrev|publicidade|promoc|propaganda|contact|receber|ofertas|"
            "emails|newsletter & !nao parem|resolv|chover",
            "remov|retirem|tirem|apaguem|eliminem|excluam|cancelar|descadastr|desinscr|anular & meu numero|me.|"
            "da lista|minha subscricao|a subscricao|a inscricao|lista|sms|mensagens|newsletter|"
            "meu contato & !reserva|quarto|conta|taxi",
            "deixem me em paz|me deixem em paz|cancelar subscricao",
        ),
        IntentType.HUMAN: (
            "falar com & uma pessoa|gerente|alguem|quem|recepcao|atendente",
            "me ligar|me ligue|me telefonar|me passa para",
            "atendente humano",
            "falar|conversar|comunicar|contactar & pessoa|alguem|gerente|responsavel|diretor|recepcao|humano|"
            "de verdade|atendente|dono|quem & !ontem|falei|falamos",
            "pessoa real|pessoa de verdade|um humano|ser humano|nao um robo|nao com um robo|com uma maquina|um bot|"
            "com um robo|nao uma maquina & !nao sou|sou",
            "ligar|liguem|ligue|telefonar|telefonem|chamada|ligam & me.|nos.|para mim|alguem|de volta|para o|"
            "por favor|0|pod|urgente|retorn & !taxi|eu ligo|luz|vou ligar|ar.|tv|aquec|wifi",
            "passe me|me passa para|me passe para|passem me|me transfira",
        ),
    },
    guards={
        "negation": (
            "nao sao precisas|nao e preciso|sem toalhas|ainda temos|nao cancelei|nao cancelamos|nao precisamos|"
            "nao vamos precisar|nao obrigad|sem early|sem saida|nao temos carro|nada a mudar|nao vamos cancelar|"
            "nao pretendemos|esta bem|nao faz mal|esqueca|esquecam|deixe estar|deixem estar|deixa para la|"
            "deixa pra la|nao precis|nao queremos|ja nao quer|nao e necessari|sem carro|nao vamos de carro|"
            "temos suficiente|arranjamo nos|nos viramos|preferimos nao|dispens|nao mude|nao faz falta"
        ),
        "past": (
            "chegamos bem|foi facil|era facil|ja mandaram|ano passado|estava otimo|estava excelente|foi maravilhos|"
            "foi muito|ja recebi|nos trocaram|ja estacionamos|estacionamos sem|ja confirmou|ja me explic|"
            "ja me mand|ja paguei|ja jantamos|jantamos|aproveitamos|veio buscar|chegou na hora|caiu|da outra vez|"
            "da ultima vez|a primeira foi|de primeira|ja fizemos|ja fiz.|ja temos|ja pagamos|ja reserv|"
            "no ano passado|ha anos|anos atras|foi otimo|foi perfeito|foi excelente|estava perfeito|"
            "estava delicios|estava muito|estava maravilh|estacionamos|deixamos o carro|comemos|deixamos as chaves|"
            "tomei nota|anotado|do aeroporto era|noutro hotel|em outro hotel|para o ano que vem|como combinado|"
            "como indicado|paramos para|o melhor|um amor|estava pronto|estava pronta|nao deu para usar|"
            "ja esta paga|ate logo"
        ),
        "vehicle": ("o carro|a autocaravana"),
        "thanks": (
            "obrigado por|obrigada por|obrigado pel|obrigada pel|salvou a gente|parabens|obrigado pelo|"
            "obrigada pelo|obrigado pela|obrigada pela|muito obrigad|obrigadao|agradec|obrigado a|obrigada a|valeu|"
            "obrigado otimo|obrigadinh"
        ),
        "settled": (
            "cartao novo|chave nova|ja abre|cartao funcionou|ja funciona|ja esta bom|esta otimo|tudo certo|"
            "sem reclamac|tudo perfeito|nao se preocupem|achei os|achei as|achamos o|wifi ok|tranquil|"
            "chegou obrigad|chegou.|ja me ligou|nada grave|resolvido|debaixo da cama|foi facil|ja esta a funcionar|"
            "voltou|consertad|arranjad|resolvid|tudo bem|tudo em ordem|sem problema|sem queixas|nenhuma queixa|"
            "apareceu|encontrei o|encontrei a|estava na mala|estava no meu|estava na minha|ja ha|esta perfeit|"
            "esta impecavel|funciona muito bem|funciona perfeit|funciona otim|nao falta nada|parou o|"
            "o barulho parou|nao se preocup|entendido|de acordo|perfeito|certo.|de primeira|passou na segunda"
        ),
    },
)
