JЂкС@І\L@sЧЃAҐµЎ@вн'A}« @нRNAf=AґЋЩAлк†A$NBДX¤A‘ЈAЏAЧ/]AХ“yAYР$AИgї?»ҐKA]Iш@…vњAя'Е?X№
Bь{AСkМAR4A2№BъsђAЕ<fAц\A‹ALmfA